"""He et al. 2016: shortcuts, activations, and nets of 1,001 layers.

Source: He et al., Identity Mappings, arXiv:1603.05027, tables 1 to 5.
"""

from residua.data.views import CenterCrop
from residua.nets.cifar import CifarConfig
from residua.recipes.imagenet import CROP_320
from residua.reproduce.cell import Cell, Counted, Exceeds, Setting, Table
from residua.reproduce.tables.fill import counted, pairs, quoted, trained

PAPER = "arXiv:1603.05027"
MEDIAN = "median of 5"
# What the paper calls a failure, in percent of test error.
FAILED = 20.0


def _median(row: str, column: str, recipe: str) -> Cell:
    return trained(row, column, f"preact.{recipe}", MEDIAN)


def _fails(row: str, recipe: str, note: str = "") -> Cell:
    how = Exceeds(recipe=f"preact.{recipe}")
    told = f"the paper prints fail, for an error above 20 %{note}"
    return Cell(
        row=row, column="test error", how=how, stated=FAILED, digits=0, said=MEDIAN, note=told
    )


def _table1() -> list[Cell]:
    return [
        _median("original", "test error", "original110"),
        _fails("constant scaling (0, 1)", "constant_scaling_plain"),
        _fails("constant scaling (0.5, 1)", "constant_scaling_half"),
        _median("constant scaling (0.5, 0.5)", "test error", "constant_scaling"),
        _fails("exclusive gating, b_g = 0 to -5", "exclusive_gating_0", "; 0 here"),
        _median("exclusive gating, b_g = -6", "test error", "exclusive_gating"),
        _median("exclusive gating, b_g = -7", "test error", "exclusive_gating_7"),
        _median("shortcut-only gating, b_g = 0", "test error", "shortcut_only_gating_0"),
        _median("shortcut-only gating, b_g = -6", "test error", "shortcut_only_gating"),
        _median("1x1 conv shortcut", "test error", "conv_shortcut"),
        _fails("dropout shortcut", "dropout_shortcut"),
    ]


def _settings1() -> tuple[Setting, ...]:
    """What stands on the shortcut and on F, and the first bias of a gate."""
    rows: tuple[tuple[str, float | None, float | None, float | None], ...] = (
        ("original", 1, 1, None),
        ("constant scaling (0, 1)", 0, 1, None),
        ("constant scaling (0.5, 1)", 0.5, 1, None),
        ("constant scaling (0.5, 0.5)", 0.5, 0.5, None),
        ("exclusive gating, b_g = -6", None, None, -6),
        ("exclusive gating, b_g = -7", None, None, -7),
        ("shortcut-only gating, b_g = 0", None, 1, 0),
        ("shortcut-only gating, b_g = -6", None, 1, -6),
        ("1x1 conv shortcut", None, 1, None),
        ("dropout shortcut", None, 1, None),
    )
    columns = (("on shortcut", "factor"), ("on F", "factor"), ("b_g", "initial bias"))
    return tuple(
        Setting(row=row, column=column, value=value, unit=unit)
        for row, *values in rows
        for (column, unit), value in zip(columns, values, strict=True)
        if value is not None
    )


def _table2() -> list[Cell]:
    rows = (
        ("original", "original"),
        ("BN after addition", "bn_after_add"),
        ("ReLU before addition", "relu_before_add"),
        ("ReLU-only pre-activation", "relu_preact"),
        ("full pre-activation", "preresnet"),
    )
    return [
        _median(row, f"ResNet-{depth}", f"{name}{depth}")
        for row, name in rows
        for depth in (110, 164)
    ]


def _table3() -> list[Cell]:
    rows = (
        ("CIFAR-10 ResNet-110(1layer)", "110_single"),
        ("CIFAR-10 ResNet-110", "110"),
        ("CIFAR-10 ResNet-164", "164"),
        ("CIFAR-10 ResNet-1001", "1001"),
        ("CIFAR-100 ResNet-164", "164_cifar100"),
        ("CIFAR-100 ResNet-1001", "1001_cifar100"),
    )
    units = (("baseline unit", "original"), ("pre-activation unit", "preresnet"))
    return [
        _median(row, column, f"{prefix}{name}") for row, name in rows for column, prefix in units
    ]


def _params(row: str, net: CifarConfig, mega: float) -> Cell:
    # 10.2 M for 1,001 layers is without batch normalization's; so is 1.7 M, which is both.
    what = "parameters" if net.depth == 1202 else "weights"
    how = Counted(net=net, what=what, step=1e5)
    return counted(row, "params", round(mega * 1e6), how, digits=1)


def _preact(depth: int) -> CifarConfig:
    return CifarConfig(depth=depth, block="bottleneck", shortcut="B", order="full_preact")


def _table4() -> list[Cell]:
    ten, hundred = "CIFAR-10 test error", "CIFAR-100 test error"
    others = [("NIN", 8.81, 35.68), ("DSN", 8.22, 34.57), ("FitNet", 8.39, 35.04)]
    more = [("All-CNN", 7.25, 33.71), ("ELU", 6.55, 24.28), ("FitResNet-LSUV", 5.84, 27.66)]
    long, small = "preact.preresnet1001", "preact.preresnet1001_batch64"
    return [
        *pairs(others, (ten, hundred)),
        quoted("Highway", ten, 7.72, said="mean of several"),
        trained("Highway", hundred, "highway.cifar19_cifar100", "mean of several"),
        *pairs(more, (ten, hundred)),
        _params("ResNet-110", CifarConfig(depth=110), 1.7),
        _median("ResNet-110", ten, "original110"),
        _params("ResNet-1202", CifarConfig(depth=1202), 19.4),
        trained("ResNet-1202", ten, "cifar.resnet1202", note="of arXiv:1512.03385, table 6"),
        _median("original 164", hundred, "original164_cifar100"),
        _median("original 1001", hundred, "original1001_cifar100"),
        _params("pre-act 164", _preact(164), 1.7),
        _median("pre-act 164", ten, "preresnet164"),
        _median("pre-act 164", hundred, "preresnet164_cifar100"),
        _params("pre-act 1001", _preact(1001), 10.2),
        _median("pre-act 1001", ten, "preresnet1001"),
        trained("pre-act 1001", f"{ten} (mean)", long, "mean of 5", std=0.14),
        _median("pre-act 1001, batch 64", ten, "preresnet1001_batch64"),
        trained("pre-act 1001, batch 64", f"{ten} (mean)", small, "mean of 5", std=0.20),
        _median("pre-act 1001", hundred, "preresnet1001_cifar100"),
        trained(
            "pre-act 1001",
            f"{hundred} (mean)",
            f"{long}_cifar100",
            "mean of 5",
            std=0.22,
        ),
    ]


def _table5() -> list[Cell]:
    rows = (
        ("ResNet-152 original, scale, 224", "original152", CenterCrop()),
        ("ResNet-152 original, scale, 320", "original152", CROP_320),
        ("ResNet-152 pre-act, scale, 320", "preresnet152", CROP_320),
        ("ResNet-200 original, scale, 320", "original200", CROP_320),
        ("ResNet-200 pre-act, scale, 320", "preresnet200", CROP_320),
        ("ResNet-200 pre-act, scale + aspect ratio, 320", "preresnet200_aspect", CROP_320),
    )
    columns = (("top-1 error", "test_error"), ("top-5 error", "top5_error"))
    ours = [
        trained(row, column, f"imagenet.{name}", metric=metric, views=views, digits=1)
        for row, name, views in rows
        for column, metric in columns
    ]
    inception = [("Inception v3, scale + aspect ratio, 299", 21.2, 5.6)]
    return [*ours, *pairs(inception, ("top-1 error", "top-5 error"), digits=1)]


TABLES = (
    Table(
        name="he2016.table1",
        title="CIFAR-10 ResNet-110 with other shortcuts",
        source=f"{PAPER}, table 1",
        cells=tuple(_table1()),
        settings=_settings1(),
    ),
    Table(
        name="he2016.table2",
        title="CIFAR-10, orders of batch normalization, ReLU and addition",
        source=f"{PAPER}, table 2",
        cells=tuple(_table2()),
    ),
    Table(
        name="he2016.table3",
        title="CIFAR, original and pre-activation units",
        source=f"{PAPER}, table 3",
        cells=tuple(_table3()),
    ),
    Table(
        name="he2016.table4",
        title="CIFAR, beside other methods",
        source=f"{PAPER}, table 4",
        cells=tuple(_table4()),
    ),
    Table(
        name="he2016.table5",
        title="ImageNet validation, one crop",
        source=f"{PAPER}, table 5",
        cells=tuple(_table5()),
        settings=tuple(
            Setting(row=row, column="test crop", value=float(row.split()[-1]), unit="pixels")
            for row in dict.fromkeys(cell.row for cell in _table5())
        ),
    ),
)
