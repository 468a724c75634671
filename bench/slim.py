"""ResNet-56 on CIFAR-10 without a fifth, and without a third, of its blocks: error, size and time.

Needs RESIDUA_DATA with resnet-cifar10/resnet56-4bfd9763.th (github.com/akamaster) and
cifar-10-batches-py. The blocks are chosen, greedily and ranked anew after each, by the error on
training pictures that the fine-tuning here does not see (the training of the checkpoint itself saw
them). The test part is looked at once before and once after every fine-tuning; nothing is chosen
with it. With --root, what has been chosen and trained there already is read and not repeated, and
trainings that were stopped go on.
"""

import argparse
import json
import math
import os
import statistics
import tempfile
from pathlib import Path

import torch

from harness import parser, report, table, trained, verdict
from residua import runtime
from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config
from residua.data.loading import Splits
from residua.data.normalize import Normalize
from residua.evaluate import scores
from residua.experiment import Experiment
from residua.nets import weights
from residua.nets.blocks_of import blocks_of, without
from residua.nets.describe import layers, total_multiply_adds
from residua.nets.slimmed import slimmer
from residua.surgery.latency import milliseconds
from residua.surgery.slim import slim
from residua.train.loss import LossConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig, iterations

CHECKPOINT = "resnet-cifar10/resnet56-4bfd9763.th"
SHAPE = (3, 32, 32)
# Parts of the blocks, rounded up, and the points of test error that they may cost.
PARTS = (("a fifth", 5, 0.5), ("a third", 3, 1.5))
HELD, BATCH = 5000, 128


def left_out(loaded, normalize, splits, chosen, most):
    """Choose the blocks, or read which were chosen: names and errors in their order."""
    kept = None if chosen.root is None else chosen.root / f"chosen_{chosen.pictures}.json"
    if kept is not None and kept.is_file() and len(found := json.loads(kept.read_text())) >= most:
        return found
    images = splits.validation.select(torch.arange(min(chosen.pictures, len(splits.validation))))
    dtype = runtime.pick_dtype("auto", torch.device("cpu"))
    slimmed = slim(
        loaded.net,
        lambda net: scores(net, images, normalize, dtype=dtype).top1_error,
        most=most,
        rerank=not chosen.smoke,
    )
    found = [[cost.name, cost.error] for cost in slimmed.left_out]
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(found))
    return found


def saved(loaded, net, config, splits, path):
    """Write the weights of a net that was made of another."""
    card = {"classes": splits.train.classes, "shape": SHAPE}
    weights.save(net, path, config=config, preprocessing=loaded.preprocessing, card=card)


def fine_tuned(loaded, names, splits, chosen, root, seed):
    """Fine-tune the net without the blocks named."""
    config = slimmer(loaded.config, names)
    start = root / f"start_{len(names)}.safetensors"
    saved(loaded, without(loaded.net, names), config, splits, start)
    until = iterations(chosen.epochs, 50_000 - HELD, BATCH)
    teacher = root / "teacher.safetensors"
    saved(loaded, loaded.net, loaded.config, splits, teacher)
    experiment = Experiment(
        name="bench.slim",
        net=config,
        data=splits if chosen.smoke else Cifar10Config(holdout=HELD),
        augment=PadCropFlip(pad=4),
        optimizer=SgdConfig(weight_decay=1e-4, nesterov=True),
        schedule=CosineConfig(lr=chosen.lr, until=until, warmup=until // 20),
        weights=str(start),
        loss=LossConfig(teacher=str(teacher) if chosen.distill else None),
        batch_size=BATCH,
        seed=seed,
    )
    if chosen.smoke:
        experiment = experiment.smoke()
    name = f"{len(names)}_blocks_{chosen.epochs:g}_epochs_{chosen.lr:g}_seed{seed}"
    name = f"{name}_taught" if chosen.distill else name
    return trained(experiment, root, name)


def row(what, net, error, times, after):
    """One row of the table."""
    each = ", ".join(f"{result.test_error:.2f}" for result in after)
    return [
        what,
        f"{len(blocks_of(net))}",
        f"{sum(p.numel() for p in net.parameters()):,}",
        f"{total_multiply_adds(layers(net, SHAPE)) / 1e6:.1f} M",
        *(f"{time:.2f}" for time in times),
        f"{error:.2f}",
        each,
    ]


def asked():
    """Read the options."""
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3, help="of the fine-tuning")
    options.add_argument("--epochs", type=float, default=5.0, help="of the fine-tuning")
    options.add_argument("--lr", type=float, default=0.01, help="highest rate, before a cosine")
    options.add_argument(
        "--distill",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="let the checkpoint teach the slimmer net beside the labels",
    )
    options.add_argument("--pictures", type=int, default=2500, help="to choose with, of 5,000")
    options.add_argument("--root", type=Path, help="where the choice and the runs are kept")
    options.add_argument("--smoke", action="store_true", help="see that it runs at all")
    chosen = options.parse_args()
    if chosen.smoke:
        chosen.pictures, chosen.seeds = 20, 1
    return chosen


def main():
    chosen = asked()
    data = Path(os.environ["RESIDUA_DATA"])
    loaded = weights.load(data / CHECKPOINT)
    normalize = Normalize.of(loaded.preprocessing.mean, loaded.preprocessing.std)
    splits = Cifar10Config(holdout=HELD).load()
    if chosen.smoke:
        parts = (splits.train, splits.validation, splits.test)
        splits = Splits(*(part.select(torch.arange(64)) for part in parts))
    test = splits.test
    total = len(blocks_of(loaded.net))
    counts = [math.ceil(total / part) for _, part, _ in PARTS]
    order = left_out(loaded, normalize, splits, chosen, max(counts))
    names = [[name for name, _ in order[:count]] for count in counts]
    loaded.net.to(memory_format=torch.channels_last)
    nets = [loaded.net, *(without(loaded.net, each) for each in names)]
    times = [milliseconds(nets, SHAPE, batch=batch) for batch in (1, BATCH)]
    errors = [scores(net, test, normalize).top1_error for net in nets]
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.root or Path(folder)
        after = [
            [fine_tuned(loaded, each, splits, chosen, root, seed) for seed in range(chosen.seeds)]
            for each in names
        ]
    words = ["ResNet-56", *(f"without {count} of {total} blocks" for count in counts)]
    rows = [
        row(what, net, error, [time[index] for time in times], results)
        for index, (what, net, error, results) in enumerate(
            zip(words, nets, errors, [[], *after], strict=True)
        )
    ]
    cost = [statistics.mean(result.test_error for result in each) - errors[0] for each in after]
    columns = [
        "net",
        "blocks",
        "parameters",
        "multiply-adds",
        "ms per picture, batch 1",
        f"batch {BATCH}",
        "test error % as it is",
        "fine-tuned, each seed",
    ]
    seconds = statistics.mean(result.seconds for each in after for result in each)
    body = "\n".join(
        [
            table(columns, rows),
            "",
            f"{len(test):,} test pictures. Fine-tuning: {chosen.epochs:g} epochs of "
            f"{50_000 - HELD:,} pictures, cosine from {chosen.lr:g}, n = {chosen.seeds} seeds, "
            f"{seconds / 60:.1f} min each"
            f"{', the checkpoint teaching beside the labels' if chosen.distill else ''}. "
            "Times: float32, channels last, the least of 30 turns, "
            "all nets in turns.",
            f"Left out in this order, by the error on {chosen.pictures:,} training pictures that "
            "were held out from the fine-tuning: "
            + ", ".join(f"{name} ({error:.2f} %)" for name, error in order[: max(counts)])
            + ".",
            "",
            *(
                verdict(f"{part} of the blocks, mean cost in points", value, bound, at_most=True)
                for (part, _, bound), value in zip(PARTS, cost, strict=True)
            ),
            *(
                f"- {part} of the blocks: {100 * (1 - times[0][n] / times[0][0]):.0f} % less time "
                f"at batch 1, {100 * (1 - times[1][n] / times[1][0]):.0f} % at batch {BATCH}"
                for n, (part, _, _) in enumerate(PARTS, start=1)
            ),
        ]
    )
    report("slim", body, write=chosen.write)


if __name__ == "__main__":
    main()
