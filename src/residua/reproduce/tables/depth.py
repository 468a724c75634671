"""Huang et al. 2016: units that are skipped at random.

Source: Huang et al., Deep Networks with Stochastic Depth, arXiv:1603.09382; and the authors'
yueatsprograms/Stochastic_Depth, README.md.
"""

from residua.reproduce.cell import Cell, Table
from residua.reproduce.tables.fill import outside, trained

CONSTANT, STOCHASTIC = "constant depth, {} layers", "stochastic depth, {} layers"
C10, C100, SVHN = "CIFAR-10 test error", "CIFAR-100 test error", "SVHN test error"
MEMORY = "no source of the number was seen"
FIRST = "it is the first version's of a number that has its recipe in the later one"


def _unseen(row: str, column: str, value: float) -> Cell:
    return outside(row, column, value, MEMORY, code="M", said="not stated")


TABLES = (
    Table(
        name="depth.cifar",
        title="Test errors with constant and with stochastic depth",
        source="arXiv:1603.09382; yueatsprograms/Stochastic_Depth, README.md",
        cells=(
            trained(STOCHASTIC.format(110), C10, "stochastic.stochastic110", code="R"),
            trained(CONSTANT.format(110), C10, "stochastic.constant110", code="R"),
            outside(f"{STOCHASTIC.format(110)}, v1", C10, 5.23, FIRST, code="S"),
            trained(STOCHASTIC.format(1202), C10, "stochastic.stochastic1202", code="S"),
            _unseen(CONSTANT.format(1202), C10, 6.67),
            _unseen(STOCHASTIC.format(110), C100, 24.98),
            trained(
                f"{STOCHASTIC.format(110)}, v1",
                C100,
                "stochastic.stochastic110_cifar100",
                code="S",
            ),
            _unseen(CONSTANT.format(110), C100, 27.76),
            trained(STOCHASTIC.format(152), SVHN, "stochastic.stochastic152_svhn", code="R"),
            _unseen(CONSTANT.format(152), SVHN, 1.80),
            _unseen(STOCHASTIC.format(152), "ImageNet error", 21.98),
            _unseen(CONSTANT.format(152), "ImageNet error", 21.78),
        ),
        note="The authors' code repeats within 0.2 points on CIFAR-10.",
    ),
)
