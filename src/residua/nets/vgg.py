"""VGG-16 and VGG-19: the nets that the residual ones are compared with, and the first trunks.

Sources:
    [V] Simonyan and Zisserman, Very Deep Convolutional Networks, arXiv:1409.1556, table 1.
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figure 3 (19.6 G multiply-adds).
"""

from typing import Literal

from torch import Tensor, nn

from residua.config import settings
from residua.errors import ConfigError
from residua.nets.arguments import arguments
from residua.nets.initialize import initialize
from residua.nets.inputs import Input
from residua.nn.chain import chain
from residua.nn.frugal import FrugalReLU

WIDTHS = (64, 128, 256, 512, 512)
LINEAR = 4096
CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


class VGG(nn.Module):
    """`logits = head(flatten(average(groups(x))))`; each group ends with a max-pooling.

    Shape:
        x: N, C, H, W with H, W >= 32.  y: N, K for K classes.

    Args:
        groups: the five groups of convolutions, without their poolings.
        head: from N, 25088 to logits.
        takes: the pictures that fit; others are refused with a sentence.
    """

    def __init__(self, *, groups: list[nn.Module], head: nn.Module, takes: Input) -> None:
        super().__init__()
        self.groups = nn.ModuleList(groups)
        self.pools = nn.ModuleList(nn.MaxPool2d(2, stride=2) for _ in groups)
        self.average = nn.AdaptiveAvgPool2d(7)
        self.head = head
        self.takes = takes
        self.register_forward_pre_hook(takes)

    def forward(self, x: Tensor) -> Tensor:
        for group, pool in zip(self.groups, self.pools, strict=True):
            x = pool(group(x))
        return self.head(self.average(x).flatten(1))

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Return the outputs of the five groups, before their poolings, as "C1" to "C5".

        Raises:
            ShapeError: the pictures do not fit.
        """
        self.takes.check(x)
        outputs: dict[str, Tensor] = {}
        groups = zip(self.groups, self.pools, strict=True)
        for number, (group, pool) in enumerate(groups, start=1):
            outputs[f"C{number}"] = group(x)
            x = pool(outputs[f"C{number}"])
        return outputs


def _group(convolutions: int, in_channels: int, channels: int) -> nn.Module:
    parts: dict[str, nn.Module] = {}
    for number in range(1, convolutions + 1):
        parts[f"conv{number}"] = nn.Conv2d(in_channels, channels, 3, padding=1)
        parts[f"relu{number}"] = FrugalReLU()
        in_channels = channels
    return chain(**parts)


def vgg(
    depth: Literal[16, 19] = 16,
    *,
    dropout: float = 0.5,
    widen: float = 1.0,
    zero_init_residual: bool = False,
    in_channels: int = 3,
    num_classes: int = 1000,
) -> VGG:
    """Build configuration D (16 layers) or E (19 layers) of [V].

    Args:
        depth: weighted layers: 16 or 19.
        dropout: probability in [0, 1) of dropping a feature before the last two linear layers.
        widen: every width is so many times that of [V]; 1 is [V].
        zero_init_residual: not possible, since there is none; refused with a sentence.
        in_channels: of the pictures.
        num_classes: length of the logits.

    Raises:
        ConfigError: another depth, or a width without sense.

    Differs:
        Features are averaged to 7x7, which is the identity for 224x224 pixels, so that other sizes
        fit. The random weights are those of He et al., arXiv:1502.01852; [V] trained the deep nets
        from the weights of shallow ones.
    """
    if depth not in CONVOLUTIONS:
        raise ConfigError(f"depth must be 16 or 19 for vgg, got {depth}")
    if not 0 < widen <= 16:
        raise ConfigError(f"widen must be above 0 and at most 16, got {widen}")
    widths = [max(1, round(width * widen)) for width in WIDTHS]
    linear = max(1, round(LINEAR * widen))
    groups = zip(CONVOLUTIONS[depth], (in_channels, *widths), widths, strict=False)
    head = chain(
        fc1=nn.Linear(widths[-1] * 7 * 7, linear),
        relu1=FrugalReLU(),
        dropout1=nn.Dropout(dropout),
        fc2=nn.Linear(linear, linear),
        relu2=FrugalReLU(),
        dropout2=nn.Dropout(dropout),
        fc3=nn.Linear(linear, num_classes),
    )
    takes = Input(channels=in_channels, smallest=32)
    net = VGG(groups=[_group(*sizes) for sizes in groups], head=head, takes=takes)
    initialize(net, zero_init_residual=zero_init_residual)
    return net


@settings
class VggConfig:
    """Arguments of `vgg`, as data."""

    kind: Literal["vgg"] = "vgg"
    depth: Literal[16, 19] = 16
    dropout: float = 0.5
    widen: float = 1.0
    zero_init_residual: bool = False
    in_channels: int = 3
    num_classes: int = 1000

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """C, H, W of the pictures it was made for."""
        return self.in_channels, 224, 224

    def build(self) -> VGG:
        """Build the network that these settings describe, with freshly drawn weights."""
        return vgg(**arguments(self))
