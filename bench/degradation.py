"""The degradation experiment over several seeds: training error of plain and residual networks.

Seed 0 is the command `residua lab degradation` itself, timed as a whole process; the other seeds
train the depths that the claims are about.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import residua.report
from harness import parser, report, table, verdict
from residua import events
from residua.lab.degradation import degradation, experiments

DEPTHS = (20, 56)


def run_command(root):
    """Run the command; return its seconds and the run folders it made."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "residua", "lab", "degradation", "--runs", str(root)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began, sorted((root / "lab" / "degradation").glob("*/seed0"))


def study(root, seeds):
    """Run all seeds; return the seconds of the command and all run folders."""
    seconds, folders = run_command(root)
    _, results = degradation(experiments(DEPTHS, range(1, seeds)), root=root)
    return seconds, [*folders, *(result.folder for result in results)]


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--keep", type=Path, help="folder for the figure and page of all seeds")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        seconds, folders = study(Path(temporary), chosen.seeds)
        told = [events.result(events.read(folder)) for folder in folders]
        if chosen.keep:
            chosen.keep.mkdir(parents=True, exist_ok=True)
            residua.report.write_degradation(chosen.keep, folders)
    names = [folder.parent.name.removeprefix("digits.") for folder in folders]
    error = {(n, t["seed"]): t["train_error"] for n, t in zip(names, told, strict=True)}
    columns = sorted(set(names), key=lambda name: (name.strip("plainrest"), name))
    seeds = range(chosen.seeds)
    rows = [
        [str(seed), *(f"{error[n, seed]:.2f}" if (n, seed) in error else "" for n in columns)]
        for seed in seeds
    ]
    plain = min(error["plain56", seed] - error["plain20", seed] for seed in seeds)
    residual = max(error["resnet56", seed] - error["resnet20", seed] for seed in seeds)
    body = "\n".join(
        [
            "Training error in percent: mean over the last epoch, of the augmented images.",
            "",
            table(["seed", *columns], rows),
            "",
            verdict(
                "plain-56 minus plain-20, least of the seeds, points", plain, 20, at_most=False
            ),
            verdict(
                "ResNet-56 minus ResNet-20, most of the seeds, points", residual, 2, at_most=True
            ),
            verdict("`residua lab degradation`, one seed, s", seconds, 150, at_most=True),
        ]
    )
    report("degradation", body, write=chosen.write)


if __name__ == "__main__":
    main()
