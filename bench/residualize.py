"""Does a trained plain net gain from shortcuts? Plain-56 on the digits, bridged and trained on.

For each seed, plain-56 is trained for --first updates. The same net is then trained for --further
updates: as it is; with shortcuts of option A whose gates are learned; and with gates that are
annealed to 1 in the first half. Its residual twin is trained from scratch for the total. With
--root, trainings that have ended there are read and those that were stopped go on.
"""

import dataclasses
import math
import statistics
import tempfile
from pathlib import Path

import torch

from harness import parser, report, table, trained
from residua import recipes, runs, runtime
from residua.nn.gated import gated_sums
from residua.surgery.residualize import greatest_change, residualize
from residua.train.schedule import CosineConfig

WARMUP = 40
LEFT, LEARNED, ANNEALED, TWIN = "left plain", "gates learned", "gates annealed", "residual twin"


def made(name, seed, updates, **changes):
    """A training of that many updates, with the schedule of the degradation experiment."""
    warmup = min(WARMUP, updates // 4)
    schedule = CosineConfig(lr=changes.pop("lr", 0.1), until=updates, warmup=warmup)
    recipe = recipes.find_classifier(name)
    return dataclasses.replace(recipe, schedule=schedule, seed=seed, **changes)


def of_seed(seed, chosen, root):
    """The results of one seed, the gates that were learned, and the change at the insertion."""
    first = made("digits.plain56", seed, chosen.first)
    plain = trained(first, root, f"first{seed}_{chosen.first}")
    net = runs.load(plain.folder, weights="last").net
    x = torch.randn(8, 1, 8, 8, generator=runtime.generator(seed, "example"))
    nets = {
        LEFT: net,
        LEARNED: residualize(net, x, shortcut="A"),
        ANNEALED: residualize(net, x, shortcut="A", anneal=max(1, chosen.further // 2)),
    }
    change = max(greatest_change(net, nets[kind], x)[0] for kind in (LEARNED, ANNEALED))
    results = {"first training": plain}
    for kind, begun in nets.items():
        on = made("digits.plain56", seed + 1000, chosen.further, lr=chosen.lr, net=begun)
        folder = f"{kind.replace(' ', '_')}{seed}_{chosen.first}+{chosen.further}_{chosen.lr:g}"
        results[kind] = trained(on, root, folder, net=begun)
    total = chosen.first + chosen.further
    results[TWIN] = trained(made("digits.resnet56", seed, total), root, f"twin{seed}_{total}")
    learned = runs.load(results[LEARNED].folder, weights="last", net=nets[LEARNED]).net
    gates = [each.gate.item() for each in gated_sums(learned).values()]
    return results, gates, change


def spread(values):
    """Mean and range of the values that are defined."""
    values = [value for value in values if not math.isnan(value)] or [math.nan]
    return f"{statistics.mean(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def way(results, kind, what):
    """How far a net came from the one left plain (0 %) towards the residual twin (100 %).

    There is no such way where the twin is no better than what was left plain.
    """
    left, came, twin = (getattr(results[each], what) for each in (LEFT, kind, TWIN))
    return 100 * (left - came) / (left - twin) if left > twin else math.nan


def lines(found, changes, gates):
    """What the table means, in sentences."""
    count = len(found)
    told = [f"- greatest change of the output at the insertion: **{max(changes):.1e}**"]
    for kind in (LEARNED, ANNEALED):
        better = sum(each[kind].train_error < each[LEFT].train_error for each in found)
        told.append(
            f"- {kind}: lower training error than left plain in **{better} of {count}** seeds; way "
            "towards the twin, mean and range of the seeds, %: training error "
            f"**{spread([way(each, kind, 'train_error') for each in found])}**, test error "
            f"{spread([way(each, kind, 'test_error') for each in found])}"
        )
    flat = [gate for each in gates for gate in each]
    told.append(f"- learned gates at the end: {spread(flat)}, {len(flat)} gates")
    return told


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--first", type=int, default=336, help="updates before the insertion")
    options.add_argument("--further", type=int, default=336, help="updates after it")
    options.add_argument("--lr", type=float, default=0.1, help="of the further training")
    options.add_argument("--root", type=Path, help="where the runs are kept")
    options.add_argument("--smoke", action="store_true", help="one seed, a few updates")
    chosen = options.parse_args()
    if chosen.smoke:
        chosen.seeds, chosen.first, chosen.further = 1, 4, 4
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.root or Path(folder)
        every = [of_seed(seed, chosen, root) for seed in range(chosen.seeds)]
    found, gates, changes = zip(*every, strict=True)
    rows = [
        [
            kind,
            str(updates),
            spread([each[kind].train_error for each in found]),
            spread([each[kind].test_error for each in found]),
            ", ".join(f"{each[kind].train_error:.2f}" for each in found),
        ]
        for kind, updates in (
            ("first training", chosen.first),
            *((kind, chosen.first + chosen.further) for kind in (LEFT, LEARNED, ANNEALED, TWIN)),
        )
    ]
    columns = ["plain-56 on the digits", "updates", "training error, %", "test error, %"]
    body = "\n".join(
        [
            "Mean and range over the seeds, and the training error of each. The training error is "
            "the mean over the last epoch, of the augmented images.",
            "",
            table([*columns, "each"], rows),
            "",
            f"n = {chosen.seeds} seeds; further training at the rate {chosen.lr:g}.",
            "",
            *lines(found, changes, gates),
        ]
    )
    report("residualize", body, write=chosen.write)


if __name__ == "__main__":
    main()
