"""Shortcuts that are added to a net which works without them: `y = F(x) + g h(x)`, g from 0 on.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, equations 1 and 2: g = 1.
    [Z] Bachlechner et al., ReZero is All You Need, arXiv:2003.04887: one number per addition that
        starts at 0, there before F and here before h.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from residua.errors import ConfigError


class GatedSum(nn.Module):
    """`y = f + g h(x)` for a function's value f = F(x): shortcut h behind a gate g.

    The gate starts at 0, where y = f, so that a trained F keeps what it learned. It is a parameter
    and learned, or, with `anneal`, brought from 0 to 1 by `follow` and not learned.

    Shape:
        x: what F takes.  f, y: what F gives; h(x) has that shape, or with `crop` is cut to it.

    Args:
        shortcut: h.
        crop: cut height and width of h(x), equally at both sides, to those of f: for functions
            without padding.
        anneal: updates in which the gate goes from 0 to 1; 0 for a gate that is learned.

    Raises:
        ConfigError: `anneal` is negative.
    """

    updates: Tensor

    def __init__(self, shortcut: nn.Module, *, crop: bool = False, anneal: int = 0) -> None:
        super().__init__()
        if anneal < 0:
            raise ConfigError(f"anneal must be 0 or a number of updates, got {anneal}")
        self.shortcut = shortcut
        self.gate = nn.Parameter(torch.zeros(()), requires_grad=anneal == 0)
        self.crop = crop
        self.anneal = anneal
        if anneal:
            self.register_buffer("updates", torch.zeros((), dtype=torch.int64))

    def forward(self, x: Tensor, f: Tensor) -> Tensor:
        h = self.shortcut(x)
        return f + self.gate * (_cut(h, f) if self.crop else h)

    @torch.no_grad()
    def advance(self) -> None:
        """Count one update, and bring an annealed gate on."""
        if self.anneal:
            self.updates += 1
            self.gate.copy_((self.updates / self.anneal).clamp(max=1.0))


def _cut(h: Tensor, f: Tensor) -> Tensor:
    """Cut the middle out of h, as high and as wide as f."""
    top, left = (h.shape[2] - f.shape[2]) // 2, (h.shape[3] - f.shape[3]) // 2
    return h[:, :, top : top + f.shape[2], left : left + f.shape[3]]


def gated_sums(net: nn.Module) -> dict[str, GatedSum]:
    """List the shortcuts with gates of a net by their dotted paths."""
    return {name: m for name, m in net.named_modules() if isinstance(m, GatedSum)}


def parameter_groups(net: nn.Module, *, weight_decay: float) -> list[dict[str, Any]]:
    """Sort the parameters that are trained into those that decay, and gates, which do not.

    Weight decay would hold a gate at 0. `torch.optim.SGD(parameter_groups(net, weight_decay=1e-4),
    lr=0.1)` is what one's own optimizer is made of; the optimizers of this package do the same.
    """
    gates = {id(each.gate) for each in gated_sums(net).values()}
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    groups = (
        {
            "params": [p for p in trained if id(p) not in gates],
            "weight_decay": weight_decay,
        },
        {"params": [p for p in trained if id(p) in gates], "weight_decay": 0.0},
    )
    return [group for group in groups if group["params"]]


def follow(net: nn.Module, optimizer: Optimizer) -> None:
    """Let the annealed gates of a net follow the updates that an optimizer makes."""
    annealed = [each for each in gated_sums(net).values() if each.anneal]
    if not annealed:
        return

    def advance(_optimizer: Optimizer, _args: Any, _kwargs: Any) -> None:
        for each in annealed:
            each.advance()

    optimizer.register_step_post_hook(advance)
