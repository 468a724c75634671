"""ResNet-20 on the digits over several seeds, beside two baselines on the same split.

The baselines learn from the training part alone, as the network does.
"""

import dataclasses
import statistics
import subprocess
import sys
import tempfile
import time

from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from harness import parser, report, table, verdict
from residua import execute
from residua.recipes.digits import resnet20


def baseline(model):
    """Test error of a scikit-learn classifier, in percent."""
    splits = resnet20().load_data()
    flat = [part.images.flatten(1).numpy() / 255 for part in (splits.train, splits.test)]
    model.fit(flat[0], splits.train.labels.numpy())
    return 100 * (1 - model.score(flat[1], splits.test.labels.numpy()))


def command_seconds():
    """Wall time of the whole command, from starting Python to the page."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        command = [sys.executable, "-m", "residua", "train", "--runs", folder]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        return time.perf_counter() - began


def main():
    options = parser(__doc__)
    options.add_argument("--seeds", type=int, default=5)
    chosen = options.parse_args()
    wall = command_seconds()
    with tempfile.TemporaryDirectory() as folder:
        results = [
            execute.run(dataclasses.replace(resnet20(), seed=seed), root=folder)
            for seed in range(chosen.seeds)
        ]
    errors = [result.test_error for result in results]
    rows = [
        [
            f"ResNet-20, seed {r.seed}",
            f"{r.test_error:.2f}",
            f"{r.validation_error:.2f}",
            f"{r.seconds:.1f}",
        ]
        for r in results
    ]
    rows += [
        ["RBF support vector machine (C = 1)", f"{baseline(SVC()):.2f}", "", ""],
        ["3 nearest neighbours", f"{baseline(KNeighborsClassifier(3)):.2f}", "", ""],
    ]
    body = "\n".join(
        [
            table(["on 360 test images", "test error %", "validation error %", "training s"], rows),
            "",
            f"Mean {statistics.mean(errors):.2f} %, std {statistics.stdev(errors):.2f}, "
            f"median {statistics.median(errors):.2f}, n = {len(errors)} seeds.",
            "",
            verdict("mean test error, %", statistics.mean(errors), 1.2, at_most=True),
            verdict("`residua train`, whole command, s", wall, 45, at_most=True),
        ]
    )
    report("digits", body, write=chosen.write)


if __name__ == "__main__":
    main()
