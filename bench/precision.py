"""bfloat16 against float32: test errors of the same trainings, and their time, seed by seed.

Both trainings of a seed have the same weights at first and the same pictures in the same order. A
training that has ended in --into is read and not made again.
"""

import dataclasses
import statistics
from pathlib import Path

from harness import parser, report, table
from residua import execute, outcome, recipes, runs
from residua.config import digest

PRECISIONS = ("float32", "bfloat16")


def trained(experiment, root):
    """Train, or read what came of it."""
    found = runs.finished(root / experiment.name, digest(experiment))
    return execute.run(experiment, root=root) if found is None else outcome.recorded(found)


def main():
    options = parser(__doc__)
    options.add_argument("--recipe", default="digits.resnet20")
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--updates", type=int, help="by default those of the recipe")
    options.add_argument("--into", type=Path, default=Path("runs/precision"))
    chosen = options.parse_args()
    recipe = recipes.find(chosen.recipe)
    if chosen.updates is not None:
        recipe = recipe.lasting(chosen.updates)
    pairs = []
    for seed in range(chosen.seeds):
        both = [
            trained(
                dataclasses.replace(recipe, seed=seed, precision=precision),
                chosen.into / precision,
            )
            for precision in PRECISIONS
        ]
        pairs.append(both)
    report("precision", body(recipe, pairs), write=chosen.write)


def body(recipe, pairs):
    """Say errors, the differences of the pairs, and the ratio of their times."""
    rows = [
        [str(seed), *(f"{each.test_error:.2f}" for each in both), f"{of(both):+.2f}"]
        for seed, both in enumerate(pairs)
    ]
    differences = [of(both) for both in pairs]
    ratios = [first.seconds / second.seconds for first, second in pairs]
    spread = f", std {statistics.stdev(differences):.2f}" if len(pairs) > 1 else ""
    lines = [
        f"{recipe.name}, {recipe.schedule.until:,} updates, test errors in percent.",
        "",
        table(["seed", *PRECISIONS, "difference"], rows),
        "",
        "- test error, bfloat16 minus float32, points: mean "
        f"**{statistics.mean(differences):+.2f}**{spread}, n = {len(pairs)} pairs",
        f"- time of a training, float32 over bfloat16, median: **{statistics.median(ratios):.2f}**",
    ]
    return "\n".join(lines)


def of(both):
    """By how much the test error of the second is larger, in points."""
    first, second = both
    return second.test_error - first.test_error


if __name__ == "__main__":
    main()
