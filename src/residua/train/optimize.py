"""Optimizers as settings.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.4 and 4.2.
"""

from typing import Literal

from torch import nn
from torch.optim import SGD

from residua.config import settings
from residua.errors import ConfigError


@settings
class SgdConfig:
    """Stochastic gradient descent, `v <- m v + g + d w; w <- w - lr v` ([R]).

    The learning rate is the schedule's. Every parameter decays, those of batch norm too, as in [R].

    Attributes:
        momentum: m, in [0, 1).
        weight_decay: d.
        nesterov: step along `g + m v` instead of v.
    """

    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    nesterov: bool = False

    def build(self, net: nn.Module) -> SGD:
        """Make the optimizer of a net's parameters; its rate is set before every update.

        Raises:
            ConfigError: momentum or decay are out of range.
        """
        try:
            return SGD(
                net.parameters(),
                lr=0.0,
                momentum=self.momentum,
                weight_decay=self.weight_decay,
                nesterov=self.nesterov,
                fused=True,
            )
        except ValueError as error:
            raise ConfigError(f"optimizer: {error}") from None
