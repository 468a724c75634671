"""The blocks of plain nets, and what is left of them where their layers are left out.

Sources:
    [V] Veit et al., Residual Networks Behave Like Ensembles of Relatively Shallow Networks,
        arXiv:1605.06431, section 4.1: layers of a net without shortcuts are deleted for comparison.
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from residua.errors import ConfigError, closest
from residua.nets.blocks_of import BlockOf
from residua.nn.blocks import PlainBlock
from residua.nn.shortcuts import ZeroPad


def plain_blocks_of(net: nn.Module) -> list[BlockOf]:
    """List the plain blocks of a net in the order of depth."""
    found: list[BlockOf] = []
    for name, block in net.named_modules():
        if isinstance(block, PlainBlock):
            channels_in, channels_out, stride = _sizes(block)
            found.append(BlockOf(name, block, channels_in == channels_out and stride == 1))
    return found


@contextmanager
def plain_bypassed(net: nn.Module, names: Iterable[str]) -> Iterator[nn.Module]:
    """Leave out the layers of plain blocks within a `with`: `y = f(h(before(x)))`.

    h is what the residual twin's shortcut is under option A: the identity where the shape is kept,
    else subsampling and channels of zeros.

    Raises:
        ConfigError: a name is that of no plain block.
    """
    known = {each.name: each.block for each in plain_blocks_of(net)}
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise ConfigError(f"{name!r} is no plain block of this net{closest(name, known)}")
    try:
        for name in wanted:
            known[name].forward = _passing(known[name])
        yield net
    finally:
        for name in wanted:
            known[name].__dict__.pop("forward", None)


def _passing(block: nn.Module) -> Callable[[Tensor], Tensor]:
    assert isinstance(block, PlainBlock)
    pad = ZeroPad(*_sizes(block))

    def forward(x: Tensor) -> Tensor:
        # What comes in is not f's to write over.
        return block.after(pad(block.before(x)).clone())

    return forward


def _sizes(block: PlainBlock) -> tuple[int, int, int]:
    """Return channels in, channels out and stride."""
    layers = [m for m in block.residual.modules() if isinstance(m, nn.Conv2d)]
    stride = math.prod(layer.stride[0] for layer in layers)
    return layers[0].in_channels, layers[-1].out_channels, stride
