"""Networks put into evaluation for a while, every module back into its own mode after."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def evaluating(*nets: nn.Module) -> Iterator[None]:
    """Let nets compute as in evaluation within a `with`.

    Modules may differ in their modes, as where a part is kept in evaluation while the rest learns:
    each is in its own again after, also after an error.
    """
    modes = {module: module.training for net in nets for module in net.modules()}
    for net in nets:
        net.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
