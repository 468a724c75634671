"""The MNIST nets of the blog post "Residual networks in Torch, MNIST": 34 and 100 layers.

The post's text, its printout and the code that it links are three different nets: `reading` says
which. The family of He et al. for pictures of this size is `residua.nets.cifar`.

Sources:
    [B] the blog post: its text, its printout of a residual net, and its plain net.
    [C] the linked repository arunpatala/residual.mnist: model.lua, residual.lua.
"""

from typing import Literal

from torch import nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nets.resnet import GlobalAverage, ResNet
from residua.nn.blocks import PlainBlock, ResidualBlock
from residua.nn.chain import chain
from residua.nn.frugal import FrugalReLU

Reading = Literal["code", "blog", "printed"]
HeadName = Literal["flatten", "max_pool", "average"]

WIDTHS = (64, 128, 256)
SIZE = 28


def units_per_width(depth: int) -> int:
    """Solve `depth = 6N + 10` for N, as main.lua of [C] does.

    Raises:
        ConfigError: no N >= 0 does; the nearest depths that fit are named.
    """
    n, rest = divmod(depth - 10, 6)
    if n < 0 or rest:
        nearest = "10" if depth < 10 else f"{6 * n + 10} or {6 * n + 16}"
        raise ConfigError(f"depth must be 6N+10 for the MNIST nets, got {depth} (try {nearest})")
    return n


def _function(in_channels: int, channels: int, stride: int, reading: Reading) -> nn.Module:
    """Make two 3x3 convolutions with biases; what is normalized depends on the reading."""
    padding = 0 if reading == "printed" and stride == 2 else 1
    parts: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(in_channels, channels, 3, stride=stride, padding=padding)
    }
    if reading == "blog":
        parts["norm1"] = nn.BatchNorm2d(channels)
    parts["relu1"] = FrugalReLU()
    parts["conv2"] = nn.Conv2d(channels, channels, 3, padding=1)
    if reading != "printed":
        parts["norm2"] = nn.BatchNorm2d(channels)
    return chain(**parts, relu2=FrugalReLU())


def _block(
    in_channels: int, channels: int, stride: int, reading: Reading, *, residual: bool
) -> nn.Module:
    function = _function(in_channels, channels, stride, reading)
    if not residual:
        return PlainBlock(before=nn.Identity(), residual=function, after=nn.Identity())
    same = in_channels == channels and stride == 1
    projection = chain(conv=nn.Conv2d(in_channels, channels, 1, stride=stride))
    return ResidualBlock(
        before=nn.Identity(),
        residual=function,
        shortcut=nn.Identity() if same else projection,
        after=FrugalReLU(),
    )


def _side(reading: Reading) -> int:
    """Height and width after the three strides, in pixels."""
    side = SIZE
    for _ in WIDTHS:
        side = (side - 3) // 2 + 1 if reading == "printed" else (side + 1) // 2
    return side


def _head(
    name: HeadName, channels: int, side: int, num_classes: int
) -> tuple[nn.Module, nn.Linear]:
    match name:
        case "flatten":
            return nn.Flatten(), nn.Linear(channels * side**2, num_classes)
        case "max_pool":
            pool = chain(pool=nn.MaxPool2d(2, stride=2), flatten=nn.Flatten())
            return pool, nn.Linear(channels * (side // 2) ** 2, num_classes)
        case "average":
            return GlobalAverage(), nn.Linear(channels, num_classes)
        case _:
            raise ConfigError(f"head must be flatten, max_pool or average, got {name!r}")


def mnist_net(
    depth: int = 34,
    *,
    reading: Reading = "code",
    shortcut: Literal["projection", "none"] = "projection",
    head: HeadName = "flatten",
    zero_init_residual: bool = False,
    in_channels: int = 1,
    num_classes: int = 10,
) -> ResNet:
    """Build an MNIST net: 64, 128, 256 channels with N units and a halving one each, then a head.

    Args:
        depth: 6N + 10: convolutions of the residual net with its three projections, without the
            linear layer, as [C] counts. By the count of He et al. 34 and 100 are 32 and 98.
        reading: "code" is [C], batch normalization after every second convolution; "blog" is the
            printout of [B], after every one; "printed" is the plain net of [B] as it stands: no
            batch normalization, and no padding where the stride is 2 (28, 13, 6, 2 pixels).
        shortcut: "projection" is 1x1 with stride 2 where the shape changes, else the identity;
            "none" is the plain twin.
        head: "flatten" and linear ([C]); "max_pool" of 2x2 and linear (the text of [B]); "average"
            over all pixels and linear (as He et al.).
        zero_init_residual: not possible, since F ends in ReLU; refused with a sentence.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: the depth has not that form, a choice does not exist, or the printed plain net
            is wanted with shortcuts, which would not fit its sizes.

    Differs:
        [B] breaks off after its fourth convolution, which it prints without padding although its
        text says 1; here every convolution of stride 1 has it. [B] does not say how large its
        max-pooling is: 2x2 here.
    """
    if reading not in ("code", "blog", "printed"):
        raise ConfigError(f"reading must be code, blog or printed, got {reading!r}")
    if shortcut not in ("projection", "none"):
        raise ConfigError(f"shortcut must be projection or none, got {shortcut!r}")
    if reading == "printed" and shortcut != "none":
        raise ConfigError(
            "reading 'printed' is a plain net: without padding 28 pixels become 13, where a "
            "shortcut gives 14 (try shortcut='none', or reading='blog')"
        )
    units = units_per_width(depth)
    residual = shortcut == "projection"
    stem: dict[str, nn.Module] = {"conv": nn.Conv2d(in_channels, WIDTHS[0], 3, padding=1)}
    if reading != "printed":
        stem["norm"] = nn.BatchNorm2d(WIDTHS[0])
    stages: list[nn.Module] = []
    for width in WIDTHS:
        blocks = [_block(width, width, 1, reading, residual=residual) for _ in range(units)]
        halve = _block(width, 2 * width, 2, reading, residual=residual)
        stages.append(nn.Sequential(*blocks, halve))
    average, linear = _head(head, 2 * WIDTHS[-1], _side(reading), num_classes)
    net = ResNet(
        stem=chain(**stem, relu=FrugalReLU()),
        stages=stages,
        average=average,
        head=linear,
        takes=_takes(head, reading, in_channels),
    )
    initialize(net, zero_init_residual=zero_init_residual)
    return net


def _takes(head: HeadName, reading: Reading, in_channels: int) -> Input:
    if head == "average":
        return Input(channels=in_channels, smallest=15 if reading == "printed" else 8)
    return Input(channels=in_channels, size=SIZE)


@settings
class MnistConfig:
    """Arguments of `mnist_net`, as data."""

    kind: Literal["mnist"] = "mnist"
    depth: int = 34
    reading: Reading = "code"
    shortcut: Literal["projection", "none"] = "projection"
    head: HeadName = "flatten"
    zero_init_residual: bool = False
    in_channels: int = 1
    num_classes: int = 10

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, SIZE, SIZE

    def build(self) -> ResNet:
        """Build the network that these settings describe, with freshly drawn weights."""
        return mnist_net(**arguments(self))
