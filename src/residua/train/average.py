"""An average of the weights of a training, which is often better than the last of them.

Sources:
    [P] Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, 1992; here with
        exponentially falling shares.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from residua.config import settings
from residua.errors import CheckpointError, ConfigError


@settings
class AverageConfig:
    """Settings of `Average`.

    Attributes:
        decay: share of the average that an update keeps, in [0, 1); 0.999 is about the last
            thousand updates. With 0 no average is kept.
        warmup: keep less of the average at first, (1 + n) / (10 + n) of it at update n, so that
            short trainings do not end near their first weights.
    """

    decay: float = 0.0
    warmup: bool = True

    def build(self, net: nn.Module) -> "Average | None":
        """Start an average at the weights that a net has now; None where none is kept.

        Raises:
            ConfigError: the decay is out of range.
        """
        if not 0 <= self.decay < 1:
            raise ConfigError(f"average.decay must be in [0, 1), got {self.decay}")
        if self.decay == 0:
            return None
        return Average(net, decay=self.decay, warmup=self.warmup)


class Average:
    """`a <- d a + (1 - d) w` for all weights w of a net, after every update.

    The statistics of batch normalization are averaged with the same shares: they are those of
    networks with about these weights. (`residua` can also measure them exactly afterwards.) Whole
    numbers, such as counters, are copied.

    Args:
        net: where the average starts.
        decay: d.
        warmup: d is at most (1 + n) / (10 + n) at update n, counted from 0.
    """

    def __init__(self, net: nn.Module, *, decay: float, warmup: bool) -> None:
        self.decay = decay
        self.warmup = warmup
        self.updates = 0
        self.values = {name: value.clone() for name, value in net.state_dict().items()}

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """Take in the weights that the net has after an update."""
        n = self.updates
        keep = min(self.decay, (1 + n) / (10 + n)) if self.warmup else self.decay
        for name, value in net.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, 1 - keep)
            else:
                self.values[name].copy_(value)
        self.updates += 1

    @contextmanager
    def applied(self, net: nn.Module) -> Iterator[nn.Module]:
        """Give the net the averaged weights for a while, to validate or to save it."""
        own = {name: value.clone() for name, value in net.state_dict().items()}
        _put(net, self.values)
        try:
            yield net
        finally:
            _put(net, own)

    def state(self) -> dict[str, Any]:
        """Return everything that the rest of the averaging depends on."""
        return {"updates": self.updates, "values": self.values}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned.

        Raises:
            CheckpointError: it is of another net.
        """
        values: dict[str, Tensor] = state["values"]
        if values.keys() != self.values.keys():
            raise CheckpointError("the checkpoint's averaged weights are of another net")
        self.updates = state["updates"]
        with torch.no_grad():
            for name, value in values.items():
                self.values[name].copy_(value)


@torch.no_grad()
def _put(net: nn.Module, values: dict[str, Tensor]) -> None:
    for name, value in net.state_dict().items():
        value.copy_(values[name])
