"""How close blocks are to the identity: what they add beside what they pass on.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.1: if optimal functions are
        closer to the identity than to zero, F is small; figure 7 shows that it is.

Dimension key:
    N pictures
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from residua.errors import ConfigError, DataError
from residua.nets.blocks_of import BlockOf, blocks_of
from residua.nn.blocks import ResidualBlock, StochasticBlock
from residua.nn.modes import evaluating


@dataclass(frozen=True)
class Closeness:
    """How close one block is to its shortcut; means over the pictures.

    Attributes:
        name: dotted path of the block.
        keeps_shape: whether its shortcut may be the identity.
        residual: L2 norm of `F(x)`.
        shortcut: L2 norm of `h(x)`.
        ratio: of the two, 0 where the block only passes on what it gets.
        cosine: of the angle between them, in [-1, 1]; below 0, F takes back what h passes on.
    """

    name: str
    keeps_shape: bool
    residual: float
    shortcut: float
    ratio: float
    cosine: float


@torch.no_grad()
def closeness(net: nn.Module, batches: Iterable[Tensor]) -> tuple[Closeness, ...]:
    """Compare `F(x)` with `h(x)` in every residual block, in eval mode.

    Args:
        net: with residual blocks; it is left as it was.
        batches: inputs as the net takes them, N, C, H, W.

    Raises:
        ConfigError: the net has no residual blocks.
        DataError: there is no batch.
    """
    blocks = blocks_of(net)
    if not blocks:
        raise ConfigError(f"{type(net).__name__} has no residual blocks to compare with identities")
    watches = [_Watch(each) for each in blocks]
    handles = [handle for watch in watches for handle in watch.listen()]
    try:
        with evaluating(net):
            for inputs in batches:
                net(inputs)
    finally:
        for handle in handles:
            handle.remove()
    if not watches[0].ratios:
        raise DataError("no pictures are given to compare blocks with identities")
    return tuple(watch.found() for watch in watches)


@dataclass
class _Watch:
    """Both branches of a block, as they are computed; the shortcut comes first."""

    of: BlockOf
    passed: Tensor | None = None
    residuals: list[Tensor] = field(default_factory=list)
    shortcuts: list[Tensor] = field(default_factory=list)
    ratios: list[Tensor] = field(default_factory=list)
    cosines: list[Tensor] = field(default_factory=list)

    def listen(self) -> list[torch.utils.hooks.RemovableHandle]:
        block = self.of.block
        assert isinstance(block, ResidualBlock | StochasticBlock)
        factor = block.survival if isinstance(block, StochasticBlock) else 1.0
        return [
            block.shortcut.register_forward_hook(self._keep),
            block.residual.register_forward_hook(self._compare(factor)),
        ]

    def _keep(self, _module: nn.Module, _args: object, output: Tensor) -> None:
        self.passed = output

    def _compare(self, factor: float) -> Callable[[nn.Module, object, Tensor], None]:
        def hook(_module: nn.Module, _args: object, output: Tensor) -> None:
            assert self.passed is not None
            residual, passed = factor * output.flatten(1).float(), self.passed.flatten(1).float()
            self.residuals.append(residual.norm(dim=1).cpu())
            self.shortcuts.append(passed.norm(dim=1).cpu())
            self.ratios.append(self.residuals[-1] / self.shortcuts[-1].clamp_min(1e-12))
            self.cosines.append(F.cosine_similarity(residual, passed, dim=1).cpu())
            self.passed = None

        return hook

    def found(self) -> Closeness:
        lists = (self.residuals, self.shortcuts, self.ratios, self.cosines)
        means = [float(torch.cat(values).mean()) for values in lists]
        return Closeness(self.of.name, self.of.keeps_shape, *means)
