"""Zagoruyko and Komodakis 2016: wide nets of few layers.

Source: Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, v4, and v1 where pictures
are whitened.
"""

from residua import recipes
from residua.nets.wide import WideConfig
from residua.reproduce.cell import Cell, Counted, Setting, Table
from residua.reproduce.tables.fill import counted, outside, quoted, trained

PAPER = "arXiv:1605.07146v4"
MEDIAN = "median of 5"
C10, C100, SVHN = "CIFAR-10 test error", "CIFAR-100 test error", "SVHN test error"
TEN, HUNDRED = "", "_cifar100"
SECONDS = "seconds are of the authors' machine"


def _params(row: str, net: WideConfig, mega: float, column: str = "params") -> Cell:
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
            outside(row, "time", seconds, SECONDS, unit="seconds", digits=1),
            trained(row, "test error", f"wide_units.{name}", MEDIAN, note=note),
        ]
    return cells


def _convolutions() -> list[Cell]:
    nets = {number: _net(f"wide_units.l{number}") for number in (1, 2, 3, 4)}
    return [
        cell
        for number, net in nets.items()
        for cell in (
            _params(f"l = {number}", net, 2.2),
            trained(f"l = {number}", "test error", f"wide_units.l{number}", MEDIAN),
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
        row, recipe = f"WRN-{depth}-{widen}", f"whitened.wrn{depth}_{widen}"
        cells.append(_params(row, WideConfig(depth=depth, widen=float(widen)), mega))
        both = _both(row, recipe) if (depth, widen) != (40, 8) else []
        cells += both or [trained(row, C10, recipe, MEDIAN)]
    return cells


def _final() -> list[Cell]:
    several: list[tuple[str, float | None, float | None]] = [
        ("original ResNet-110", 6.43, 25.16),
        ("original ResNet-1202", 7.93, 27.82),
        ("stochastic depth 110", 5.23, 24.58),
        ("stochastic depth 1202", 4.91, None),
        ("pre-act 110", 6.37, None),
        ("pre-act 164", 5.46, 24.33),
        ("pre-act 1001", 4.92, 22.71),
    ]
    others = [
        quoted(row, column, value)
        for row, *values in several
        for column, value in zip((C10, C100), values, strict=True)
        if value is not None
    ]
    others.append(quoted("pre-act 1001, batch 64", C10, 4.64))
    others.append(
        quoted("original ResNet-1202", "params", 10.2e6, unit="parameters", said="count", digits=1)
    )
    ours = [("WRN-40-4", "wrn40_4"), ("WRN-16-8", "wrn16_8"), ("WRN-28-10", "wrn28_10")]
    return [*others, *(cell for row, name in ours for cell in _both(row, f"wide.{name}"))]


def _dropout() -> list[Cell]:
    cells: list[Cell] = []
    places = {C10: ("wide.", TEN), C100: ("wide.", HUNDRED), SVHN: ("svhn.", TEN)}
    for net in ("16-4", "28-10", "52-1"):
        name = f"wrn{net.replace('-', '_')}"
        for column, (family, suffix) in places.items():
            if (net, column) == ("28-10", SVHN):
                continue
            for word, part in (("no dropout", ""), ("dropout", "_dropout")):
                recipe = f"{family}{name}{part}{suffix}"
                cells.append(trained(f"WRN-{net}", f"{column}, {word}", recipe, MEDIAN))
    row, recipe = "WRN-28-10, ZCA", "whitened.wrn28_10_dropout"
    return [
        *cells,
        trained(row, f"{C10}, dropout", recipe, MEDIAN),
        trained(row, f"{C100}, dropout", f"{recipe}{HUNDRED}", MEDIAN, digits=1),
    ]


TABLES = (
    Table(
        name="wide.block_type",
        title="CIFAR-10, which convolutions a unit has (k = 2)",
        source=PAPER,
        cells=tuple(_block_types()),
        settings=tuple(
            Setting(row=row, column="depth", value=depth, unit="layers")
            for row, depth in (
                *((name, 40) for name in ("B(1,3,1)", "B(3,1)", "B(1,3)", "B(3,1,1)")),
                ("B(3,3)", 28),
                ("B(3,1,3)", 22),
            )
        ),
        note="Parameters are of (depth - 4) / 6 units per group, also for three convolutions.",
    ),
    Table(
        name="wide.convs_per_block",
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
            "164 and 1,001 layers, prints 10.2 M parameters for 19.4 M, and 4.64 where "
            "arXiv:1603.05027 has 4.62."
        ),
    ),
    Table(
        name="wide.dropout",
        title="CIFAR and SVHN, without and with dropout",
        source=PAPER,
        cells=tuple(_dropout()),
        note="ZCA: pictures are whitened, as in v1.",
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
