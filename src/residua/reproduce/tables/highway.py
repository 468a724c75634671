"""Highway networks on MNIST and CIFAR; the papers print accuracies.

Sources:
    [H] Srivastava et al., Highway Networks, arXiv:1505.00387: FitNets, and Highway 1 to 4.
    [T] Srivastava et al., Training Very Deep Networks, arXiv:1507.06228: MNIST, and Highway A to C;
        in part as arXiv:1512.03385, table 6, and arXiv:1603.05027, table 4, quote it.
    [C] flukeskywalker/highway-networks, examples/highways: sample logs.
"""

from residua.nets.highway import HighwayConfig
from residua.reproduce.cell import Cell, Code, Counted, Table
from residua.reproduce.tables.fill import accuracy, counted, layers, outside, quoted

TEN, HUNDRED, RIGHT = "CIFAR-10 accuracy", "CIFAR-100 accuracy", "accuracy"
LAYOUT = "its layout is not published"
ONCE = "a run is tested once, with the weights of its last update"
NOT_STATED, COUNT = "not stated", "count"
SOURCES = "arXiv:1505.00387; arXiv:1507.06228; flukeskywalker/highway-networks, sample logs"

NARROW = Counted(net=HighwayConfig(layout="mnist10", width=16), what="parameters", step=1e3)
BROAD = Counted(net=HighwayConfig(layout="mnist10"), what="parameters", step=1e3)
CIFAR19 = Counted(net=HighwayConfig(layout="cifar19"), what="parameters", step=1e5)


def _fitnets() -> list[Cell]:
    """Others' nets: parameters, multiplications and accuracy."""
    rows = (
        ("FitNet 1", 250e3, 0, 30e6, 89.01),
        ("FitNet 2", 862e3, 0, 108e6, 91.06),
        ("FitNet 3", 1.6e6, 1, 392e6, 91.10),
        ("FitNet 4", 2.5e6, 1, 382e6, 91.61),
        ("teacher", 9e6, 0, 725e6, 90.18),
    )
    cells: list[Cell] = []
    for row, params, digits, times, right in rows:
        cells += [
            quoted(row, "params", params, unit="parameters", said=COUNT, code="S", digits=digits),
            quoted(
                row,
                "multiplications",
                times,
                unit="multiplications",
                said=COUNT,
                code="S",
                digits=0,
            ),
            quoted(row, TEN, right, code="S"),
        ]
    return cells


def _unknown(row: str, params: float, right: float, code: Code, digits: int) -> list[Cell]:
    """Make cells of a net whose layout is not known."""
    return [
        outside(
            row,
            "params",
            params,
            LAYOUT,
            unit="parameters",
            said=COUNT,
            code=code,
            digits=digits,
        ),
        outside(row, TEN, right, LAYOUT, code=code, said=NOT_STATED),
    ]


def _cifar() -> list[Cell]:
    net, hundred = "highway.cifar19", "highway.cifar19_cifar100"
    log = "authors' sample log"
    return [
        *_fitnets(),
        *_unknown("Highway 1", 236e3, 89.18, "S", 0),
        counted("Highway 2", "params", 2.3e6, CIFAR19, code="S", digits=1),
        accuracy("Highway 2", TEN, net, NOT_STATED, source="1505.00387", code="S"),
        *_unknown("Highway 3", 1.4e6, 90.68, "M", 1),
        *_unknown("Highway 4", 1.25e6, 90.34, "M", 2),
        *_unknown("Highway A", 236e3, 89.18, "M", 0),
        counted("Highway B", "params", 2.3e6, CIFAR19, digits=1),
        accuracy("Highway B", TEN, net, "best of several"),
        accuracy("Highway B", f"{TEN} (mean)", net, "mean of several", std=0.16),
        *_unknown("Highway C", 1.25e6, 91.20, "P", 2),
        accuracy("Highway", TEN, net, NOT_STATED, source="1507.06228", code="S"),
        accuracy("Highway", HUNDRED, hundred, NOT_STATED, code="S"),
        accuracy("Highway", f"{HUNDRED} (mean)", hundred, "mean of several", code="S"),
        accuracy(f"{log}, 200k iterations", TEN, net, "single run", code="R"),
        outside(f"{log}, 198.5k iterations", TEN, 92.24, ONCE, code="R"),
        accuracy(log, HUNDRED, hundred, "single run", code="R"),
    ]


TABLES = (
    Table(
        name="highway.mnist",
        title="MNIST accuracy, 10 layers",
        source="arXiv:1507.06228; flukeskywalker/highway-networks, sample log",
        cells=(
            counted("Highway, width 16", "params", 39e3, NARROW, code="S", digits=0),
            accuracy("Highway, width 16", RIGHT, "highway.mnist10_narrow", NOT_STATED, code="S"),
            counted("Highway, width 32", "params", 151e3, BROAD, code="S", digits=0),
            accuracy("Highway, width 32", RIGHT, "highway.mnist10", NOT_STATED, code="S"),
            quoted("Maxout", "params", 420e3, unit="parameters", said=COUNT, code="S", digits=0),
            quoted("Maxout", RIGHT, 99.55, code="S"),
            quoted("DSN", "params", 350e3, unit="parameters", said=COUNT, code="S", digits=0),
            quoted("DSN", RIGHT, 99.61, code="S"),
            accuracy(
                "authors' sample log, 180k iterations",
                RIGHT,
                "highway.mnist10",
                "single run",
                code="R",
            ),
        ),
        settings=layers(("Highway, width 16", 10), ("Highway, width 32", 10)),
        note="151,690 parameters round to 152 K; the paper prints 151.",
    ),
    Table(
        name="highway.cifar",
        title="CIFAR accuracy",
        source=SOURCES,
        cells=tuple(_cifar()),
        settings=layers(
            ("FitNet 1", 11),
            ("FitNet 2", 11),
            ("FitNet 3", 13),
            ("FitNet 4", 19),
            ("teacher", 5),
            ("Highway 1", 11),
            ("Highway 2", 19),
            ("Highway 3", 19),
            ("Highway 4", 32),
            ("Highway A", 11),
            ("Highway B", 19),
            ("Highway C", 32),
        ),
        note="Best and mean of Highway B are as the papers of 2015 and 2016 quote them.",
    ),
)
