"""Own pictures: flowers5 from scratch by default settings, and from weights of tiny-imagenet-20.

Needs RESIDUA_DATA. The weights are trained here first, by the same default settings on
tiny-imagenet-20 at the size at which the flowers are read. The test part is looked at once by every
training; nothing is chosen with it. With --root, trainings that have ended there already are read
and not repeated, and those that were stopped go on.
"""

import dataclasses
import math
import os
import statistics
import tempfile
from pathlib import Path

from harness import parser, report, table, trained, verdict
from residua.recipes.finetune import finetuned
from residua.recipes.pictures import recognised
from tiny_imagenet import pretrained, scaled


def line(what, results):
    """One row of the table: the errors of several seeds."""
    accuracies = [100 - result.test_error for result in results]
    spread = f"{statistics.stdev(accuracies):.2f}" if len(accuracies) > 1 else ""
    minutes = statistics.mean(result.seconds for result in results) / 60
    each = ", ".join(f"{value:.2f}" for value in accuracies)
    return [what, each, f"{statistics.mean(accuracies):.2f}", spread, f"{minutes:.1f}"]


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--share", type=float, default=1.0, help="of all updates")
    options.add_argument("--scratch-only", action="store_true")
    options.add_argument("--root", type=Path, help="where the runs are kept")
    chosen = options.parse_args()
    data = Path(os.environ["RESIDUA_DATA"])
    scratch = scaled(recognised(data / "flowers5").experiment, chosen.share)
    seeds = range(chosen.seeds)
    with tempfile.TemporaryDirectory() as folder:
        suffix = f"_{chosen.share:g}"
        root = chosen.root or Path(folder)
        begun = [
            trained(dataclasses.replace(scratch, seed=seed), root, f"scratch{seed}{suffix}")
            for seed in seeds
        ]
        rows = [line("from scratch", begun)]
        lines = [
            verdict("mean test accuracy from scratch, %", float(rows[0][2]), 75, at_most=False),
            verdict("longest training, min", max(r.seconds for r in begun) / 60, 25, at_most=True),
        ]
        if not chosen.scratch_only:
            source, weights = pretrained(data, root, chosen.share)
            tuned = finetuned(scratch, str(weights))
            on = [
                trained(dataclasses.replace(tuned, seed=seed), root, f"tuned{seed}{suffix}")
                for seed in seeds
            ]
            rows.append(line("from weights of tiny-imagenet-20", on))
            gains = [a.test_error - b.test_error for a, b in zip(begun, on, strict=True)]
            error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
            lines.append(
                f"- gain of the weights, mean of paired seeds: **{statistics.mean(gains):.2f} "
                f"points**, standard error {error:.2f} (n = {len(gains)}); they were trained "
                f"{source.seconds / 60:.1f} min, to {100 - source.test_error:.1f} % on their own "
                "test part"
            )
    body = "\n".join(
        [
            table(["flowers5", "test accuracy %", "mean", "std", "minutes each"], rows),
            "",
            f"{begun[0].test_count} test images; share of all updates: {chosen.share:g}.",
            "",
            *lines,
        ]
    )
    report("flowers", body, write=chosen.write)


if __name__ == "__main__":
    main()
