"""He et al. 2015: networks that name pictures. What finds objects is in `he2015_detection`.

Source: He et al., Deep Residual Learning, arXiv:1512.03385, sections 3 and 4; and the notes to its
release, KaimingHe/deep-residual-networks, README.md.
"""

from itertools import pairwise

from residua.data.views import CenterCrop, MultiScale, TenCrop, Views
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.vgg import VggConfig
from residua.reproduce.cell import RESPONSE, Cell, Counted, Difference, Evaluated, Exceeds, Table
from residua.reproduce.tables.fill import counted, layers, outside, pairs, quoted, trained

PAPER = "arXiv:1512.03385"
ERRORS = ("top-1 error", "top-5 error")
METRICS = ("test_error", "top5_error")
SERVER = "the labels of ImageNet's test set are not published"

# The prototxt files of the release round sizes up in pooling, and its ResNet-50 has a bias there.
RELEASED = {
    50: ImagenetConfig(depth=50, stem_bias=True, pool_rounding="ceil"),
    101: ImagenetConfig(depth=101, pool_rounding="ceil"),
    152: ImagenetConfig(depth=152, pool_rounding="ceil"),
}


def _both(row: str, recipe: str, views: Views) -> list[Cell]:
    return [
        trained(row, column, recipe, metric=metric, views=views)
        for column, metric in zip(ERRORS, METRICS, strict=True)
    ]


def _flops(depth: int, giga: float) -> Cell:
    # 3.6e9 is what 34 layers have with option A, as in table 2; option B would be 3.7e9.
    net = ImagenetConfig(depth=depth, shortcut="A" if depth < 50 else "B")
    how = Counted(net=net, what="multiply_adds", step=1e8)
    return counted("FLOPs", f"{depth}-layer", giga * 1e9, how, digits=1)


def _given(row: str, name: str, net: VggConfig | ImagenetConfig, *errors: float) -> list[Cell]:
    """Make cells of given weights: one view, then ten, each top-1 and top-5."""
    origin = "caffe_vgg" if isinstance(net, VggConfig) else "caffe"
    looks: tuple[Views, Views] = (CenterCrop(), TenCrop())
    names = [("1-crop", looks[0]), ("10-crop", looks[1])]
    places = [(label, view, which) for label, view in names for which in (0, 1)]
    return [
        Cell(
            row=row,
            column=f"{label} {ERRORS[which].removesuffix(' error')}",
            how=Evaluated(name=name, net=net, origin=origin, views=view, metric=METRICS[which]),
            stated=error,
            digits=1,
            code="R",
        )
        for (label, view, which), error in zip(places, errors, strict=False)
    ]


def _vgg16() -> list[Cell]:
    net = VggConfig(depth=16)
    return [
        Cell(
            row="VGG-16",
            column=column,
            how=Evaluated(
                name="vgg16", net=net, origin="caffe_vgg", views=TenCrop(), metric=metric
            ),
            stated=error,
            note="the authors' test",
        )
        for column, metric, error in zip(ERRORS, METRICS, (28.07, 9.33), strict=True)
    ]


def _cifar_params(row: str, depth: int, mega: float, digits: int = 2) -> Cell:
    how = Counted(net=CifarConfig(depth=depth), what="parameters", step=10 ** (6 - digits))
    return counted(row, "params", round(mega * 1e6), how, digits=digits)


def _table6() -> list[Cell]:
    cells = [quoted("Maxout", "test error", 9.38), quoted("NIN", "test error", 8.81)]
    cells += [quoted("DSN", "test error", 8.22), quoted("FitNet", "test error", 8.39)]
    several = "of several"
    cells += [
        quoted("FitNet", "params", 2.5e6, unit="parameters", said="count", digits=1),
        quoted("Highway (19 layers)", "params", 2.3e6, unit="parameters", said="count", digits=1),
        trained("Highway (19 layers)", "test error", "highway.cifar19", f"best {several}"),
        trained(
            "Highway (19 layers)",
            "test error (mean)",
            "highway.cifar19",
            f"mean {several}",
            std=0.16,
        ),
        quoted("Highway (32 layers)", "params", 1.25e6, unit="parameters", said="count"),
        quoted("Highway (32 layers)", "test error", 8.80),
    ]
    for depth, mega, digits in (
        (20, 0.27, 2),
        (32, 0.46, 2),
        (44, 0.66, 2),
        (56, 0.85, 2),
        (110, 1.7, 1),
        (1202, 19.4, 1),
    ):
        row, recipe = f"ResNet-{depth}", f"cifar.resnet{depth}"
        cells.append(_cifar_params(row, depth, mega, digits))
        if depth == 110:
            cells.append(trained(row, "test error", recipe, "best of 5"))
            cells.append(trained(row, "test error (mean)", recipe, "mean of 5", std=0.16))
        else:
            cells.append(trained(row, "test error", recipe))
    return cells


def _deeper_is_worse(family: str, data: str, metric: str, *depths: int) -> list[Cell]:
    """Say of each depth that its error is above that of the one before."""
    which = "training" if metric == "train_error" else "test"
    return [
        Cell(
            row=f"plain-{deep} above plain-{shallow}",
            column=f"{which} error",
            how=Difference(
                larger=f"{data}.{family}{deep}", smaller=f"{data}.{family}{shallow}", metric=metric
            ),
            unit="points",
        )
        for shallow, deep in pairwise(depths)
    ]


def _figure4() -> list[Cell]:
    def beats(row: str, larger: str, points: float | None) -> Cell:
        how = Difference(larger=larger, smaller="imagenet.resnet34", views=TenCrop())
        return Cell(
            row=row, column="10-crop top-1", how=how, stated=points, unit="points", digits=1
        )

    plain = Difference(larger="imagenet.plain34", smaller="imagenet.plain18", views=TenCrop())
    return [
        Cell(row="plain-34 above plain-18", column="10-crop top-1", how=plain, unit="points"),
        beats("ResNet-18 above ResNet-34", "imagenet.resnet18", 2.8),
        beats("plain-34 above ResNet-34", "imagenet.plain34", 3.5),
    ]


def _responds(larger: str, smaller: str) -> Cell:
    """Say which of two nets responds more: plain ones do, and of residual ones the shallow."""
    recipes = [f"cifar.{name.lower().replace('-', '')}" for name in (larger, smaller)]
    how = Difference(larger=recipes[0], smaller=recipes[1], metric=RESPONSE)
    row = f"{larger} above {smaller}"
    return Cell(row=row, column="mean response", how=how, unit=RESPONSE)


TABLES = (
    Table(
        name="he2015.figure1",
        title="CIFAR-10, plain nets of 20 and 56 layers",
        source=f"{PAPER}, figure 1",
        cells=(
            *_deeper_is_worse("plain", "cifar", "train_error", 20, 56),
            *_deeper_is_worse("plain", "cifar", "test_error", 20, 56),
        ),
        note="Only curves are printed; what is compared is what the text says of them.",
    ),
    Table(
        name="he2015.table1",
        title="ImageNet, multiply-adds of one picture",
        source=f"{PAPER}, table 1",
        cells=tuple(
            _flops(depth, giga)
            for depth, giga in ((18, 1.8), (34, 3.6), (50, 3.8), (101, 7.6), (152, 11.3))
        ),
        note="A multiply-add is one operation. 50 layers have 3.858e9, which rounds to 3.9.",
    ),
    Table(
        name="he2015.table2",
        title="ImageNet validation, 10-crop top-1 error",
        source=f"{PAPER}, table 2",
        cells=tuple(
            trained(f"{name}-{depth}", ERRORS[0], f"imagenet.{family}{depth}", views=TenCrop())
            for name, family in (("plain", "plain"), ("ResNet", "resnet"))
            for depth in (18, 34)
        ),
    ),
    Table(
        name="he2015.figure4",
        title="ImageNet, plain and residual nets of 18 and 34 layers",
        source=f"{PAPER}, figure 4 and section 4.1",
        cells=tuple(_figure4()),
        note="Only curves are printed; the differences are those of the text.",
    ),
    Table(
        name="he2015.table3",
        title="ImageNet validation, 10-crop",
        source=f"{PAPER}, table 3",
        cells=(
            *_vgg16(),
            *pairs([("GoogLeNet", None, 9.15), ("PReLU-net", 24.27, 7.38)], ERRORS),
            *_both("plain-34", "imagenet.plain34", TenCrop()),
            *_both("ResNet-34 A", "imagenet.resnet34", TenCrop()),
            *_both("ResNet-34 B", "imagenet.resnet34_b", TenCrop()),
            *_both("ResNet-34 C", "imagenet.resnet34_c", TenCrop()),
            *_both("ResNet-50", "imagenet.resnet50", TenCrop()),
            *_both("ResNet-101", "imagenet.resnet101", TenCrop()),
            *_both("ResNet-152", "imagenet.resnet152", TenCrop()),
        ),
    ),
    Table(
        name="he2015.table4",
        title="ImageNet validation, single models, fully convolutional at several scales",
        source=f"{PAPER}, table 4 and section 3.4",
        cells=(
            quoted("VGG (ILSVRC'14)", ERRORS[1], 8.43, note="on the test set"),
            quoted("GoogLeNet (ILSVRC'14)", ERRORS[1], 7.89),
            *pairs([("VGG v5", 24.4, 7.1)], ERRORS, digits=1),
            *pairs([("PReLU-net", 21.59, 5.71), ("BN-inception", 21.99, 5.81)], ERRORS),
            *_both("ResNet-34 B", "imagenet.resnet34_b", MultiScale()),
            *_both("ResNet-34 C", "imagenet.resnet34_c", MultiScale()),
            *_both("ResNet-50", "imagenet.resnet50", MultiScale()),
            *_both("ResNet-101", "imagenet.resnet101", MultiScale()),
            *_both("ResNet-152", "imagenet.resnet152", MultiScale()),
        ),
    ),
    Table(
        name="he2015.table5",
        title="ImageNet test, ensembles",
        source=f"{PAPER}, table 5",
        cells=(
            quoted("VGG (ILSVRC'14)", "top-5 error", 7.32),
            quoted("GoogLeNet (ILSVRC'14)", "top-5 error", 6.66),
            quoted("VGG v5", "top-5 error", 6.8, digits=1),
            quoted("PReLU-net", "top-5 error", 4.94),
            quoted("BN-inception", "top-5 error", 4.82),
            outside("ResNet (ILSVRC'15)", "top-5 error", 3.57, SERVER),
        ),
    ),
    Table(
        name="he2015.release",
        title="ImageNet validation, the released weights",
        source="KaimingHe/deep-residual-networks, README.md",
        cells=(
            *_given("VGG-16", "vgg16", VggConfig(depth=16), 28.5, 9.9),
            *_given("ResNet-50", "resnet50", RELEASED[50], 24.7, 7.8, 22.9, 6.7),
            *_given("ResNet-101", "resnet101", RELEASED[101], 23.6, 7.1, 21.8, 6.1),
            *_given("ResNet-152", "resnet152", RELEASED[152], 23.0, 6.7, 21.4, 5.7),
        ),
        note="Nothing is trained: give the weights, `--weights resnet50=FILE`.",
    ),
    Table(
        name="he2015.table6",
        title="CIFAR-10 test error",
        source=f"{PAPER}, table 6",
        cells=tuple(_table6()),
        settings=layers(
            ("FitNet", 19),
            ("Highway (19 layers)", 19),
            ("Highway (32 layers)", 32),
            *((f"ResNet-{depth}", depth) for depth in (20, 32, 44, 56, 110, 1202)),
        ),
    ),
    Table(
        name="he2015.figure6",
        title="CIFAR-10, plain and residual nets of 20 to 110 layers",
        source=f"{PAPER}, figure 6 and section 4.2",
        cells=(
            *_deeper_is_worse("plain", "cifar", "train_error", 20, 32, 44, 56),
            *_deeper_is_worse("plain", "cifar", "test_error", 20, 32, 44, 56),
            Cell(
                row="plain-110",
                column="error",
                how=Exceeds(recipe="cifar.plain110"),
                stated=60.0,
                digits=0,
            ),
        ),
        note="Plain nets have no table; what is compared is what the text says of them.",
    ),
    Table(
        name="he2015.figure7",
        title="CIFAR-10, standard deviations of layer responses",
        source=f"{PAPER}, figure 7 and section 4.2",
        cells=(
            _responds("plain-20", "ResNet-20"),
            _responds("plain-56", "ResNet-56"),
            _responds("ResNet-20", "ResNet-56"),
            _responds("ResNet-56", "ResNet-110"),
        ),
        note="Only curves are printed; means over all 3x3 layers are held to what the text says.",
    ),
)
