"""Huang et al. 2016: units that are skipped at random.

Source: Huang et al., Deep Networks with Stochastic Depth, arXiv:1603.09382; and the authors'
yueatsprograms/Stochastic_Depth, README.md.
"""

from residua.reproduce.cell import Cell, Code, Table
from residua.reproduce.tables.fill import outside, trained

CONSTANT, STOCHASTIC = "constant depth", "stochastic depth"
MEMORY = "no source of the number was seen"
FIRST = "it is the first version's of a number that has its recipe in the later one"


def _outside(row: str, column: str, value: float, why: str, code: Code) -> Cell:
    return outside(row, column, value, why, code=code)


TABLES = (
    Table(
        name="depth.errors",
        title="Test errors with constant and with stochastic depth",
        source="arXiv:1603.09382; yueatsprograms/Stochastic_Depth, README.md",
        cells=(
            trained("CIFAR-10, 110 layers", STOCHASTIC, "stochastic.stochastic110", code="R"),
            trained("CIFAR-10, 110 layers", CONSTANT, "stochastic.constant110", code="R"),
            _outside("CIFAR-10, 110 layers", f"{STOCHASTIC} (v1)", 5.23, FIRST, "S"),
            trained("CIFAR-10, 1202 layers", STOCHASTIC, "stochastic.stochastic1202", code="S"),
            _outside("CIFAR-10, 1202 layers", CONSTANT, 6.67, MEMORY, "M"),
            _outside("CIFAR-100, 110 layers", f"{STOCHASTIC} (v3)", 24.98, MEMORY, "M"),
            trained(
                "CIFAR-100, 110 layers",
                f"{STOCHASTIC} (v1)",
                "stochastic.stochastic110_cifar100",
                code="S",
            ),
            _outside("CIFAR-100, 110 layers", CONSTANT, 27.76, MEMORY, "M"),
            trained("SVHN, 152 layers", STOCHASTIC, "stochastic.stochastic152_svhn", code="R"),
            _outside("SVHN, 152 layers", CONSTANT, 1.80, MEMORY, "M"),
            _outside("ImageNet, 152 layers", STOCHASTIC, 21.98, MEMORY, "M"),
            _outside("ImageNet, 152 layers", CONSTANT, 21.78, MEMORY, "M"),
        ),
        note="The authors' code repeats within 0.2 points on CIFAR-10.",
    ),
)
