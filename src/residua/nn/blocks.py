"""Blocks: how a residual function `F(x)` is joined to its shortcut `h(x)`.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.2, 3.3 and 4.1.
    [P] He et al., Identity Mappings, arXiv:1603.05027, sections 2, 3.1 and 3.2.
    [S] Huang et al., Stochastic Depth, arXiv:1603.09382, equations 2 and 5.
    [H] Srivastava et al., Highway Networks, arXiv:1505.00387, equations 2 and 3.
"""

import torch
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nn.chain import chain
from residua.nn.frugal import add, makes_new


class ResidualBlock(nn.Module):
    """`y = f(h(b) + F(b))` with `b = before(x)`: shortcut `h`, residual `F`, activation `f` ([R]).

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """

    def __init__(
        self, *, before: nn.Module, residual: nn.Module, shortcut: nn.Module, after: nn.Module
    ) -> None:
        super().__init__()
        self.before = before
        self.residual = residual
        self.shortcut = shortcut
        self.after = after
        self.over_residual = makes_new(residual)

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return self.after(add(self.shortcut(x), self.residual(x), over_y=self.over_residual))


class PlainBlock(nn.Module):
    """`y = f(F(before(x)))`: the same layers as a residual block, without its shortcut.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.
    """

    def __init__(self, *, before: nn.Module, residual: nn.Module, after: nn.Module) -> None:
        super().__init__()
        self.before = before
        self.residual = residual
        self.after = after

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.residual(self.before(x)))


class StochasticBlock(nn.Module):
    """`y = f(h(x) + F(x))` with probability p, else `f(h(x))`; in eval mode `f(h(x) + p F(x))`.

    One draw for a whole batch ([S]): what is skipped is not computed and gets no gradient.

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.

    Args:
        residual: F.
        shortcut: h.
        after: f.
        survival: p in (0, 1].

    Raises:
        ConfigError: p is not in (0, 1].
    """

    def __init__(
        self, *, residual: nn.Module, shortcut: nn.Module, after: nn.Module, survival: float
    ) -> None:
        super().__init__()
        if not 0 < survival <= 1:
            raise ConfigError(f"survival must be in (0, 1], got {survival}")
        self.residual = residual
        self.shortcut = shortcut
        self.after = after
        self.survival = survival

    def forward(self, x: Tensor) -> Tensor:
        y = self.shortcut(x)
        if not self.training:
            return self.after(y + self.survival * self.residual(x))
        if torch.rand(()).item() < self.survival:
            return self.after(y + self.residual(x))
        return self.after(y)


class GatedBlock(nn.Module):
    """`y = f((1 - g) h(x) + g F(x))` with `g = gate(x)`, or `f((1 - g) h(x) + F(x))` ([P]).

    Shape:
        x: N, C, H, W.  y: N, D, ceil(H/s), ceil(W/s) for stride s.

    Args:
        residual: F.
        shortcut: h.
        gate: g, with values in [0, 1].
        after: f.
        exclusive: whether the gate acts on F too ([P] section 3.1), or on h alone.
    """

    def __init__(
        self,
        *,
        residual: nn.Module,
        shortcut: nn.Module,
        gate: nn.Module,
        after: nn.Module,
        exclusive: bool,
    ) -> None:
        super().__init__()
        self.residual = residual
        self.shortcut = shortcut
        self.gate = gate
        self.after = after
        self.exclusive = exclusive

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(x)
        residual = gate * self.residual(x) if self.exclusive else self.residual(x)
        return self.after((1 - gate) * self.shortcut(x) + residual)


class HighwayBlock(nn.Module):
    """`y = H(x) T(x) + x C(x)`, or `y = H(x) T(x) + x (1 - T(x))` without a carry gate ([H]).

    Shape:
        x, y: N, C, H, W, or N, C.

    Args:
        residual: H.
        gate: T, with values in [0, 1].
        carry: C, with values in [0, 1]; `1 - T` if not given.
    """

    def __init__(
        self, *, residual: nn.Module, gate: nn.Module, carry: nn.Module | None = None
    ) -> None:
        super().__init__()
        self.residual = residual
        self.gate = gate
        self.carry = carry

    def forward(self, x: Tensor) -> Tensor:
        gate = self.gate(x)
        carry = 1 - gate if self.carry is None else self.carry(x)
        return self.residual(x) * gate + x * carry


def gate(weights: nn.Conv2d | nn.Linear, bias: float) -> nn.Sequential:
    """`g(x) = sigmoid(W x + b)`, with the bias b at its first value."""
    if weights.bias is None:
        raise ConfigError("a gate needs a bias: give it weights made with bias=True")
    nn.init.constant_(weights.bias, bias)
    return chain(weights=weights, sigmoid=nn.Sigmoid())
