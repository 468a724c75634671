"""Highway networks on MNIST and CIFAR; the papers print accuracies.

Sources:
    [H] Srivastava et al., Highway Networks, arXiv:1505.00387.
    [T] Srivastava et al., Training Very Deep Networks, arXiv:1507.06228; in part as
        arXiv:1512.03385, table 6, and arXiv:1603.05027, table 4, quote it.
    [C] flukeskywalker/highway-networks, examples/highways, sample logs.
"""

from residua.nets.highway import HighwayConfig
from residua.reproduce.cell import Counted, Table
from residua.reproduce.tables.fill import accuracy, counted, outside, quoted

RIGHT = "accuracy"
LAYOUT = "its layout is not published"
NOT_STATED = "not stated"
LOGS = "flukeskywalker/highway-networks, examples/highways, sample logs"
NARROW = Counted(net=HighwayConfig(layout="mnist10", width=16), what="parameters", step=1e3)
WIDE = Counted(net=HighwayConfig(layout="mnist10"), what="parameters", step=1e3)
CIFAR = Counted(net=HighwayConfig(layout="cifar19"), what="parameters", step=1e5)

TABLES = (
    Table(
        name="highway.mnist",
        title="MNIST accuracy, 10 layers",
        source="arXiv:1507.06228",
        cells=(
            counted("Highway, width 16", "# params", 39e3, NARROW, code="S", digits=0),
            accuracy("Highway, width 16", RIGHT, "highway.mnist10_narrow", NOT_STATED, code="S"),
            counted("Highway, width 32", "# params", 151e3, WIDE, code="S", digits=3),
            accuracy("Highway, width 32", RIGHT, "highway.mnist10", NOT_STATED, code="S"),
            quoted("Maxout", "# params", 420e3, unit="parameters", code="S"),
            quoted("Maxout", RIGHT, 99.55, code="S"),
            quoted("DSN", "# params", 350e3, unit="parameters", code="S"),
            quoted("DSN", RIGHT, 99.61, code="S"),
        ),
        note="151,690 parameters round to 152 K; the paper prints 151.",
    ),
    Table(
        name="highway.workshop",
        title="CIFAR-10 accuracy, beside FitNets",
        source="arXiv:1505.00387",
        cells=(
            quoted("FitNet 1", RIGHT, 89.01, code="S"),
            quoted("FitNet 2", RIGHT, 91.06, code="S"),
            quoted("FitNet 3", RIGHT, 91.10, code="S"),
            quoted("FitNet 4", RIGHT, 91.61, code="S"),
            quoted("FitNet teacher", RIGHT, 90.18, code="S"),
            outside("Highway 1", RIGHT, 89.18, LAYOUT, code="S", said=NOT_STATED),
            accuracy(
                "Highway 2", RIGHT, "highway.cifar19", NOT_STATED, source="1505.00387", code="S"
            ),
            counted("Highway 2", "# params", 2.3e6, CIFAR, code="S", digits=1),
            outside("Highway 3", RIGHT, 90.68, LAYOUT, code="M", said=NOT_STATED),
            outside("Highway 4", RIGHT, 90.34, LAYOUT, code="M", said=NOT_STATED),
        ),
    ),
    Table(
        name="highway.cifar",
        title="CIFAR accuracy",
        source="arXiv:1507.06228",
        cells=(
            outside("Highway A", "CIFAR-10", 89.18, LAYOUT, code="M", said=NOT_STATED),
            accuracy("Highway B", "CIFAR-10", "highway.cifar19", "best of several"),
            accuracy(
                "Highway B", "CIFAR-10 (mean)", "highway.cifar19", "mean of several", std=0.16
            ),
            outside("Highway C", "CIFAR-10", 91.20, LAYOUT, said=NOT_STATED),
            accuracy(
                "Highway",
                "CIFAR-10",
                "highway.cifar19",
                NOT_STATED,
                source="1507.06228",
                code="S",
            ),
            accuracy("Highway", "CIFAR-100", "highway.cifar19_cifar100", NOT_STATED, code="S"),
            accuracy(
                "Highway",
                "CIFAR-100 (mean)",
                "highway.cifar19_cifar100",
                "mean of several",
            ),
        ),
        note="Errors as arXiv:1512.03385 and arXiv:1603.05027 quote them, taken from 100.",
    ),
    Table(
        name="highway.logs",
        title="Accuracy in the authors' sample logs",
        source=LOGS,
        cells=(
            accuracy("MNIST", "at 180,000", "highway.mnist10", "single run", code="R"),
            accuracy("CIFAR-10", "at 200,000", "highway.cifar19", "single run", code="R"),
            outside(
                "CIFAR-10",
                "at 198,500",
                92.24,
                "a run is tested once, with the weights of its last update",
                code="R",
            ),
            accuracy("CIFAR-100", "at 200,000", "highway.cifar19_cifar100", "single run", code="R"),
        ),
    ),
)
