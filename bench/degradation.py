"""The degradation experiment over several seeds: training error of plain and residual networks."""

import tempfile
import time
from pathlib import Path

from harness import parser, report, table, verdict
from residua.lab.degradation import degradation, experiments


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--depths", type=int, nargs="+", default=[20, 56, 110])
    chosen = options.parse_args()
    error, seconds = {}, []
    for seed in range(chosen.seeds):
        plan = experiments(chosen.depths, [seed])
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            _, results = degradation(plan, root=Path(folder))
        seconds.append(time.perf_counter() - began)
        for experiment, result in zip(plan, results, strict=True):
            error[experiment.name.removeprefix("digits."), seed] = result.train_error
    names = list(dict.fromkeys(name for name, _ in error))
    seeds = range(chosen.seeds)
    rows = [
        [f"{seed}", *(f"{error[name, seed]:.2f}" for name in names), f"{seconds[seed]:.0f}"]
        for seed in seeds
    ]
    plain = min(error["plain56", seed] - error["plain20", seed] for seed in seeds)
    residual = max(error["resnet56", seed] - error["resnet20", seed] for seed in seeds)
    body = "\n".join(
        [
            f"Training error in percent at the end, n = {chosen.seeds} seeds.",
            "",
            table(["seed", *names, "seconds"], rows),
            "",
            verdict(
                "plain-56 minus plain-20, smallest over the seeds, points", plain, 20, at_most=False
            ),
            verdict(
                "ResNet-56 minus ResNet-20, largest over the seeds, points",
                residual,
                2,
                at_most=True,
            ),
            verdict("seconds for one seed, longest", max(seconds), 150, at_most=True),
        ]
    )
    report("degradation", body, write=chosen.write)


if __name__ == "__main__":
    main()
