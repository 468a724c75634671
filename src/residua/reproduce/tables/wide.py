"""Zagoruyko and Komodakis 2016: wide nets of few layers.

Source: Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, v4, and v1 where pictures
are whitened.
"""

from residua import recipes
from residua.nets.wide import WideConfig
from residua.reproduce.cell import Cell, Code, Counted, Table
from residua.reproduce.tables.fill import counted, outside, quoted, trained

PAPER = "arXiv:1605.07146v4"
MEDIAN = "median of 5"
C10, C100, SVHN = "CIFAR-10", "CIFAR-100", "SVHN"
TEN, HUNDRED = "", "_cifar100"
SECONDS = "seconds are of the authors' machine"


def _params(row: str, net: WideConfig, mega: float, column: str = "# params") -> Cell:
    how = Counted(net=net, what="parameters", step=1e5)
    return counted(row, column, round(mega * 1e6), how, digits=1)


def _both(row: str, recipe: str, statistic: str = MEDIAN) -> list[Cell]:
    """Make cells of the error on both sets."""
    return [
        trained(row, C10, f"{recipe}{TEN}", statistic),
        trained(row, C100, f"{recipe}{HUNDRED}", statistic),
    ]


def _net(recipe: str) -> WideConfig:
    net = recipes.find_classifier(recipe).net
    assert isinstance(net, WideConfig)
    return net


def _block_types() -> list[Cell]:
    rows = (
        ("B(1,3,1)", 40, "b131", 1.4, 85.8),
        ("B(3,1)", 40, "b31", 1.2, 67.5),
        ("B(1,3)", 40, "b13", 1.3, 72.2),
        ("B(3,1,1)", 40, "b311", 1.3, 82.2),
        ("B(3,3)", 28, "b33", 1.5, 67.5),
        ("B(3,1,3)", 22, "b313", 1.1, 59.9),
    )
    cells: list[Cell] = []
    for row, depth, name, mega, seconds in rows:
        note = f"printed beside a depth of {depth}"
        cells += [
            _params(row, _net(f"wide_units.{name}"), mega),
            outside(row, "time, s/epoch", seconds, SECONDS, unit="seconds", digits=1),
            trained(row, C10, f"wide_units.{name}", MEDIAN, note=note),
        ]
    return cells


def _convolutions() -> list[Cell]:
    nets = {number: _net(f"wide_units.l{number}") for number in (1, 2, 3, 4)}
    return [
        cell
        for number, net in nets.items()
        for cell in (
            _params(f"l = {number}", net, 2.2),
            trained(f"l = {number}", C10, f"wide_units.l{number}", MEDIAN),
        )
    ]


def _width_depth() -> list[Cell]:
    rows = (
        (40, 1, 0.6),
        (40, 2, 2.2),
        (40, 4, 8.9),
        (40, 8, 35.7),
        (28, 10, 36.5),
        (28, 12, 52.5),
        (22, 8, 17.2),
        (22, 10, 26.8),
        (16, 8, 11.0),
        (16, 10, 17.1),
    )
    cells: list[Cell] = []
    for depth, widen, mega in rows:
        row, recipe = f"{depth}-{widen}", f"whitened.wrn{depth}_{widen}"
        cells.append(_params(row, WideConfig(depth=depth, widen=float(widen)), mega))
        both = _both(row, recipe) if (depth, widen) != (40, 8) else []
        cells += both or [trained(row, C10, recipe, MEDIAN)]
    return cells


def _final() -> list[Cell]:
    several: list[tuple[str, float | None, float | None, Code]] = [
        ("original ResNet-110", 6.43, 25.16, "P"),
        ("original ResNet-1202", 7.93, 27.82, "P"),
        ("stochastic depth-110", 5.23, 24.58, "P"),
        ("stochastic depth-1202", 4.91, None, "P"),
        ("pre-act ResNet-110", 6.37, None, "P"),
        ("pre-act ResNet-164", 5.46, 24.33, "P"),
        ("pre-act ResNet-1001", 4.92, 22.71, "P"),
    ]
    others = [
        quoted(row, column, value, code=code)
        for row, *values, code in several
        for column, value in zip((C10, C100), values, strict=True)
        if value is not None
    ]
    others.append(quoted("pre-act ResNet-1001", f"{C10}, batch 64", 4.64))
    ours = [("WRN-40-4", "wrn40_4"), ("WRN-16-8", "wrn16_8"), ("WRN-28-10", "wrn28_10")]
    return [*others, *(cell for row, name in ours for cell in _both(row, f"wide.{name}"))]


def _dropout() -> list[Cell]:
    cells: list[Cell] = []
    for net, sets in (
        ("16-4", (C10, C100, SVHN)),
        ("28-10", (C10, C100)),
        ("52-1", (C10, C100, SVHN)),
    ):
        name = f"wrn{net.replace('-', '_')}"
        places = {C10: ("wide.", TEN), C100: ("wide.", HUNDRED), SVHN: ("svhn.", TEN)}
        for column in sets:
            family, suffix = places[column]
            for word, part in (("", ""), (" with dropout", "_dropout")):
                recipe = f"{family}{name}{part}{suffix}"
                cells.append(trained(f"{net}{word}", column, recipe, MEDIAN))
    return cells


def _first_version() -> list[Cell]:
    row, recipe = "28-10 with dropout", "whitened.wrn28_10_dropout"
    return [
        trained(row, C10, recipe, "not stated"),
        trained(row, C100, f"{recipe}{HUNDRED}", "not stated", digits=1),
    ]


TABLES = (
    Table(
        name="wide.block_types",
        title="CIFAR-10, which convolutions a unit has (k = 2)",
        source=PAPER,
        cells=tuple(_block_types()),
        note="Parameters are of (depth - 4) / 6 units per group, also for three convolutions.",
    ),
    Table(
        name="wide.convolutions",
        title="CIFAR-10, WRN-40-2 with l convolutions in a unit",
        source=PAPER,
        cells=tuple(_convolutions()),
    ),
    Table(
        name="wide.width_depth",
        title="CIFAR, width and depth; pictures are whitened",
        source="arXiv:1605.07146v1",
        cells=tuple(_width_depth()),
    ),
    Table(
        name="wide.final",
        title="CIFAR, beside other methods",
        source=PAPER,
        cells=tuple(_final()),
        note=(
            "The paper gives ResNet-110 and -1202 the CIFAR-100 errors of the original units of "
            "164 and 1,001 layers, and prints 4.64 where arXiv:1603.05027 has 4.62."
        ),
    ),
    Table(
        name="wide.dropout",
        title="CIFAR and SVHN, without and with dropout",
        source=PAPER,
        cells=tuple(_dropout()),
    ),
    Table(
        name="wide.dropout_first",
        title="CIFAR with dropout; pictures are whitened",
        source="arXiv:1605.07146v1",
        cells=tuple(_first_version()),
    ),
    Table(
        name="wide.best",
        title="The best single runs",
        source=PAPER,
        cells=(
            trained("40-10 with dropout", C10, "wide.wrn40_10_dropout", digits=1),
            trained("40-10 with dropout", C100, "wide.wrn40_10_dropout_cifar100", digits=1),
            trained("16-8 with dropout", SVHN, "svhn.wrn16_8_dropout"),
            trained("16-8", SVHN, "svhn.wrn16_8", code="S"),
        ),
    ),
)
