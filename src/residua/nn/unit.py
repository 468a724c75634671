"""One residual unit in which everything that the papers compare can be chosen.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.2, 3.3 and 4.1.
    [P] He et al., Identity Mappings, arXiv:1603.05027, table 1, figure 4 and section 4.1.
    [S] Huang et al., Stochastic Depth, arXiv:1603.09382.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from residua.errors import ConfigError, closest
from residua.nn.blocks import GatedBlock, PlainBlock, ResidualBlock, StochasticBlock, gate
from residua.nn.chain import chain
from residua.nn.frugal import FrugalReLU
from residua.nn.residuals import PRE_ACTIVATION, Order, activation, residual
from residua.nn.shortcuts import Scale, shortcut

Ablation = Literal["constant_scaling", "exclusive_gating", "shortcut_only_gating", "dropout"]
Connection = Literal[
    "A", "B", "C", "conv2x2", "conv2x2_bare", "conv2x2_bias", "average_pad", "average_projection",
    "constant_scaling", "exclusive_gating", "shortcut_only_gating", "dropout", "none",
]  # fmt: skip
BlockName = Literal["basic", "bottleneck", "single"]
StrideOn = Literal["1x1", "3x3"]
MakeShortcut = Callable[[int, int, int], nn.Module]
Block = ResidualBlock | PlainBlock | GatedBlock | StochasticBlock

KERNELS: dict[BlockName, tuple[int, ...]] = {
    "basic": (3, 3),
    "bottleneck": (1, 3, 1),
    "single": (3,),
}


def stride_index(block: BlockName, stride_on: StrideOn) -> int:
    """Say which convolution of a block has the stride; only bottlenecks have a choice.

    Raises:
        ConfigError: an unknown choice.
    """
    if stride_on not in get_args(StrideOn):
        raise ConfigError(f"stride_on must be 1x1 or 3x3, got {stride_on!r}")
    return 1 if block == "bottleneck" and stride_on == "3x3" else 0


@dataclass(frozen=True, kw_only=True)
class Unit:
    """The choices of a residual unit; `build` makes one of given channels and stride.

    Attributes:
        kernels: height and width of each convolution, in pixels: (3, 3) is the basic unit,
            (1, 3, 1) the bottleneck ([R] figure 5).
        reduction: channels of the output for one channel inside; 4 in a bottleneck.
        stride_on: index of the convolution that has the stride; 0 in the papers.
        order: of batch normalization, ReLU and addition ([P] figure 4).
        shortcut: "A", "B", "C" ([R]); a row of [P] table 1: "constant_scaling",
            "exclusive_gating", "shortcut_only_gating", "dropout" (their "1x1 conv shortcut" is C);
            another option of `residua.nn.shortcuts`; "none" for the plain twin; or a function from
            in_channels, out_channels, stride to any module.
        scales: of the shortcut and of the residual under "constant_scaling".
        gate_bias: first value of the bias of a gate.
        dropout: probability of dropping a value before each convolution but the first.
        norm: without batch normalization, convolutions have biases in its place.
    """

    kernels: tuple[int, ...] = (3, 3)
    reduction: int = 1
    stride_on: int = 0
    order: Order = "post"
    shortcut: Connection | MakeShortcut = "A"
    scales: tuple[float, float] = (0.5, 1.0)
    gate_bias: float = -6.0
    dropout: float = 0.0
    norm: bool = True

    def build(
        self,
        in_channels: int,
        out_channels: int,
        stride: int = 1,
        *,
        width: int | None = None,
        activated: bool = False,
        survival: float = 1.0,
    ) -> Block:
        """Build the unit.

        Args:
            in_channels: of the input.
            out_channels: of the output.
            stride: in pixels.
            width: channels inside; the output's by `reduction` if not given.
            activated: whether a pre-activation unit gets its input activated already, as the first
                one of a network does.
            survival: probability in (0, 1] that the residual is kept in a training step ([S]).

        Raises:
            ConfigError: a choice that does not exist or does not fit the others.
        """
        connect = self._shortcut(in_channels, out_channels, stride)
        # [P] section 4.1: weights on a shortcut see the activated input, the identity does not.
        has_weights = next(connect.parameters(), None) is not None
        make_before = self.order in PRE_ACTIVATION and has_weights and not activated
        before: nn.Module = nn.Identity()
        if make_before:
            before = activation(in_channels, self.order, norm=self.norm)
        inner = width or _divide(out_channels, self.reduction)
        function = residual(
            in_channels,
            (*(inner for _ in self.kernels[1:]), out_channels),
            kernels=self.kernels,
            stride=stride,
            stride_on=self.stride_on,
            order=self.order,
            activated=activated or make_before,
            dropout=self.dropout,
            norm=self.norm,
        )
        return self._join(before, function, connect, (in_channels, out_channels, stride), survival)

    def _join(
        self,
        before: nn.Module,
        function: nn.Sequential,
        connect: nn.Module,
        sizes: tuple[int, int, int],
        survival: float,
    ) -> Block:
        after = self._after(sizes[1])
        if self.shortcut == "none":
            return PlainBlock(before=before, residual=function, after=after)
        if self.shortcut in ("exclusive_gating", "shortcut_only_gating"):
            if self.order in PRE_ACTIVATION:
                raise ConfigError(f"gates go with order 'post', got order {self.order!r}")
            in_channels, out_channels, stride = sizes
            return GatedBlock(
                residual=function,
                shortcut=connect,
                gate=gate(nn.Conv2d(in_channels, out_channels, 1, stride), self.gate_bias),
                after=after,
                exclusive=self.shortcut == "exclusive_gating",
            )
        if self.shortcut == "constant_scaling":
            function.add_module("scale", Scale(self.scales[1]))
        if survival != 1.0:
            if not isinstance(before, nn.Identity):
                raise ConfigError("survival below 1 goes with shortcuts without weights, such as A")
            if isinstance(after, FrugalReLU):
                after = nn.ReLU()  # where F is skipped, its input is the block's own
            return StochasticBlock(
                residual=function, shortcut=connect, after=after, survival=survival
            )
        return ResidualBlock(before=before, residual=function, shortcut=connect, after=after)

    def _shortcut(self, in_channels: int, out_channels: int, stride: int) -> nn.Module:
        sizes = in_channels, out_channels, stride
        if callable(self.shortcut):
            return self.shortcut(*sizes)
        match self.shortcut:
            case "exclusive_gating" | "shortcut_only_gating":
                return shortcut("A", *sizes)
            case "constant_scaling":
                return chain(pad=shortcut("A", *sizes), scale=Scale(self.scales[0]))
            case "dropout":
                return chain(pad=shortcut("A", *sizes), dropout=nn.Dropout(0.5))
            case "none":
                return nn.Identity()
            case option if option in get_args(Connection):
                norm = self.norm and self.order not in PRE_ACTIVATION
                return shortcut(option, *sizes, norm=norm)
            case name:
                known = get_args(Connection)
                raise ConfigError(
                    f"shortcut must be one of {', '.join(known)}, or a function from in_channels, "
                    f"out_channels, stride to a module; got {name!r}{closest(str(name), known)}"
                )

    def _after(self, channels: int) -> nn.Module:
        match self.order:
            case "bn_after_add":
                return activation(channels, self.order, norm=self.norm)
            case "post":
                return FrugalReLU()
            case _:
                return nn.Identity()


def _divide(channels: int, reduction: int) -> int:
    width, rest = divmod(channels, reduction)
    if rest or not width:
        raise ConfigError(
            f"the width inside a bottleneck is the output's by {reduction}: got {channels} "
            f"channels (try {max(1, width) * reduction} or {(width + 1) * reduction})"
        )
    return width
