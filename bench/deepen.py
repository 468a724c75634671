"""A trained ResNet-20 deepened to 32 layers and trained on, against 32 layers from scratch.

Both get the same updates in all: the deepened net those of ResNet-20 and the further ones, the
other all of them at once, along one cosine. `--data digits` has 1,077 pictures to learn from and
takes minutes; for `--data cifar10` RESIDUA_DATA must hold cifar-10-batches-py. Nothing is chosen
with the test part. With --root, trainings that have ended there already are read and not repeated,
and those that were stopped go on.
"""

import dataclasses
import math
import statistics
import tempfile
from pathlib import Path

from harness import parser, report, table, trained, verdict
from residua import recipes, runs
from residua.data.loading import whole
from residua.recipes.continued import continued, save_start
from residua.surgery.deepen import deepen, output_change
from residua.train.schedule import CosineConfig, iterations

FAMILY = {"digits": "digits", "cifar10": "cifar"}
PICTURES = {"digits": 1077, "cifar10": 50_000}
EPOCHS = {"digits": 48.0, "cifar10": 10.0}
SHALLOW, DEEP, MORE = 20, 32, 2


def from_scratch(chosen, depth, updates, seed):
    """The experiment with a net of a depth that begins from nothing."""
    found = recipes.find_classifier(f"{FAMILY[chosen.data]}.resnet{SHALLOW}")
    made = dataclasses.replace(
        found,
        name=f"bench.{chosen.data}.resnet{depth}",
        net=dataclasses.replace(found.net, depth=depth),
        schedule=CosineConfig(lr=0.1, until=updates, warmup=updates // 20),
        seed=seed,
        claims=(),
    )
    return made.smoke() if chosen.smoke else made


def deepened(chosen, shallow, updates, root, seed):
    """Deepen the net of a run; return the experiment that goes on, and the change of the output."""
    known = runs.load(shallow.folder)
    net = deepen(known.net, MORE, seed=seed)
    config = dataclasses.replace(known.experiment.net, depth=DEEP)
    images = known.experiment.load_data().train
    views = next(images.viewed(whole, 256)).flatten(0, 1)
    change = output_change(known.net, net, known.normalize(views))
    start = root / f"start_{chosen.data}_{updates}_{seed}.safetensors"
    save_start(net, config, known, start)
    made = continued(known, "deepened", config, start, updates=updates, lr=chosen.lr)
    return made.smoke() if chosen.smoke else made, change


def of_one_seed(chosen, updates, root, seed):
    """Train all three; return their results, and the change of the output at insertion."""
    name = f"{updates}_updates_seed{seed}"
    shallow = trained(from_scratch(chosen, SHALLOW, updates, seed), root, name)
    more, change = deepened(chosen, shallow, updates, root, seed)
    on = trained(more, root, f"{name}_lr{chosen.lr:g}")
    scratch = from_scratch(chosen, DEEP, 2 * updates, seed)
    return shallow, on, trained(scratch, root, f"{name}_twice"), change


def line(seed, results):
    """One row of the table."""
    errors = [f"{result.test_error:.2f}" for result in results]
    training = [f"{result.train_error:.2f}" for result in results[1:]]
    minutes = [result.seconds / 60 for result in results]
    return [str(seed), *errors, *training, f"{minutes[0] + minutes[1]:.1f}", f"{minutes[2]:.1f}"]


def main():
    options = parser(__doc__)
    options.add_argument("--data", choices=("digits", "cifar10"), default="digits")
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--epochs", type=float, help="of ResNet-20, and as many again; 48 and 10")
    options.add_argument("--lr", type=float, default=0.1, help="highest rate after insertion")
    options.add_argument("--root", type=Path, help="where the runs are kept")
    options.add_argument("--smoke", action="store_true", help="see that it runs at all")
    chosen = options.parse_args()
    epochs = chosen.epochs or EPOCHS[chosen.data]
    updates = iterations(epochs, PICTURES[chosen.data], 128)
    seeds = range(1 if chosen.smoke else chosen.seeds)
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.root or Path(folder)
        found = [of_one_seed(chosen, updates, root, seed) for seed in seeds]
    results = [three for *three, _ in found]
    gains = [scratch.test_error - on.test_error for _, on, scratch in results]
    error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
    columns = [
        "seed",
        f"ResNet-{SHALLOW}, test error %",
        f"deepened to {DEEP}",
        f"ResNet-{DEEP} from scratch",
        "training error %, deepened",
        "from scratch",
        "minutes, deepened in all",
        "from scratch",
    ]
    means = [statistics.mean(each) for each in zip(*(_errors(r) for r in results), strict=True)]
    body = "\n".join(
        [
            table(columns, [line(seed, each) for seed, each in zip(seeds, results, strict=True)]),
            "",
            f"{results[0][0].test_count:,} test pictures. ResNet-{SHALLOW}: {updates:,} updates "
            f"along a cosine from 0.1; deepened: {updates:,} more from {chosen.lr:g}; from "
            f"scratch: {2 * updates:,} from 0.1. Training error: of augmented pictures.",
            f"Mean test errors of n = {len(gains)} seeds: "
            + ", ".join(f"{mean:.2f}" for mean in means)
            + " %.",
            "",
            verdict(
                "largest change of an output at insertion, in units of 1e-5",
                max(change for *_, change in found) / 1e-5,
                1,
                at_most=True,
            ),
            verdict(
                "from scratch minus deepened, mean of paired seeds, points",
                statistics.mean(gains),
                0,
                at_most=False,
            ),
            f"- standard error of that mean: {error:.2f} points",
        ]
    )
    report(f"deepen {chosen.data}", body, write=chosen.write)


def _errors(results):
    return [result.test_error for result in results]


if __name__ == "__main__":
    main()
