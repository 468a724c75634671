"""How hard splits of the digits are for two baselines: why the fixed split has the salt it has."""

import hashlib

from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from harness import parser, report, table
from residua.data.sets import HELD_OUT, SALT


def split(salt):
    """Return the indices to learn from and to test on, as the package does with its salt."""
    digits = load_digits()
    pictures = digits.images.astype("uint8")
    train, test = [], []
    for digit in range(10):
        members = [i for i, target in enumerate(digits.target) if target == digit]
        members.sort(key=lambda i: hashlib.sha256(salt + pictures[i].tobytes()).digest())
        test += members[:HELD_OUT]
        train += members[2 * HELD_OUT :]
    return digits, train, test


def error(model, salt):
    digits, train, test = split(salt)
    model.fit(digits.data[train], digits.target[train])
    return 100 * (1 - model.score(digits.data[test], digits.target[test]))


def main():
    chosen = parser(__doc__).parse_args()
    salts = [str(number).encode() for number in range(10)]
    rows = [
        [
            f"{salt.decode()}{' (ours)' if salt == SALT else ''}",
            f"{error(SVC(), salt):.2f}",
            f"{error(KNeighborsClassifier(3), salt):.2f}",
        ]
        for salt in salts
    ]
    columns = ["salt", "support vector machine, test error %", "3 nearest neighbours"]
    report("split", table(columns, rows), write=chosen.write)


if __name__ == "__main__":
    main()
