"""Made scenes: the detector learned all together, and in four steps, its trunk trained first.

Time is that of the trunk and the detector together, validation and test included.
"""

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

from harness import parser, report, table, verdict
from residua import execute
from residua.recipes.detection import scenes, scenes_alternating


def trained(experiment, root):
    """Train in a folder of its own, so that the trunk is trained too; return mAP and minutes."""
    began = time.monotonic()
    found = execute.run(experiment, root=root, page=False)
    return found.test_map, (time.monotonic() - began) / 60


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=3)
    chosen = options.parse_args()
    rows, means, minutes = [], {}, {}
    for name, recipe in (("joint", scenes()), ("alternating", scenes_alternating())):
        found = []
        for seed in range(chosen.seeds):
            with tempfile.TemporaryDirectory() as root:
                found.append(trained(dataclasses.replace(recipe, seed=seed), Path(root)))
        maps, took = zip(*found, strict=True)
        means[name], minutes[name] = statistics.mean(maps), max(took)
        spread = f"{statistics.stdev(maps):.2f}" if len(maps) > 1 else ""
        each = ", ".join(f"{value:.2f}" for value in maps)
        rows.append([name, each, f"{means[name]:.2f}", spread, f"{max(took):.1f}"])
    body = "\n".join(
        [
            table(["training", "test mAP@.5 %", "mean", "std", "most minutes"], rows),
            "",
            verdict("mean test mAP@.5, joint, %", means["joint"], 90, at_most=False),
            verdict("longest joint training, min", minutes["joint"], 6, at_most=True),
            verdict(
                "alternating below joint, points",
                means["joint"] - means["alternating"],
                3,
                at_most=True,
            ),
        ]
    )
    report("scenes", body, write=chosen.write)


if __name__ == "__main__":
    main()
