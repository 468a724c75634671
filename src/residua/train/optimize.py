"""Optimizers as settings.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, sections 3.4 and 4.2.
    [H] highway-networks, examples/highways/cifar10-19layers: biases learn twice as fast and do not
        decay.
"""

import math
from typing import Any, Literal

import torch
from torch import nn
from torch.optim import SGD, Optimizer

from residua.config import settings
from residua.errors import ConfigError
from residua.nn.gated import follow
from residua.train.parts import freeze_first, groups


@settings
class SgdConfig:
    """Stochastic gradient descent, `v <- m v + (1 - t)(g + d w); w <- w - f lr v` ([R]).

    The learning rate is the schedule's. Every parameter decays, those of batch norm too, as in [R],
    but for the gates of shortcuts that were added to a net (`residua.nn.gated`).
    The first update has no (1 - t). A parameter that a batch did not use, as those of a unit that
    stochastic depth skipped, has the gradient zero: it decays and keeps its momentum.

    Attributes:
        momentum: m, in [0, 1).
        weight_decay: d.
        nesterov: step along `g + m v` instead of v.
        dampening: t.
        decay_norm: whether weights and biases of normalizations decay.
        decay_bias: whether other biases do; not in [H].
        bias_lr: f of other biases; 2 in [H].
        stage_lr: f of each part of the net is this times that of the part after it, from 1 at the
            head: below 1, early stages learn more slowly.
        freeze: so many parts of the net, from the stem on, keep their weights, and their batch
            normalization its statistics.
    """

    kind: Literal["sgd"] = "sgd"
    momentum: float = 0.9
    weight_decay: float = 1e-4
    nesterov: bool = False
    dampening: float = 0.0
    decay_norm: bool = True
    decay_bias: bool = True
    bias_lr: float = 1.0
    stage_lr: float = 1.0
    freeze: int = 0

    def build(self, net: nn.Module) -> SGD:
        """Make the optimizer of a net's parameters, and freeze what is not to be trained.

        The rate of every group is set before every update: the schedule's times its `factor`.

        Raises:
            ConfigError: a number is out of range.
        """
        for name, factor in (("bias_lr", self.bias_lr), ("stage_lr", self.stage_lr)):
            if not 0 < factor < math.inf:
                raise ConfigError(f"optimizer.{name} must be above 0, got {factor}")
        freeze_first(net, self.freeze)
        try:
            optimizer = SGD(
                groups(
                    net,
                    weight_decay=self.weight_decay,
                    decay_norm=self.decay_norm,
                    decay_bias=self.decay_bias,
                    bias_lr=self.bias_lr,
                    stage_lr=self.stage_lr,
                ),
                lr=0.0,
                momentum=self.momentum,
                dampening=self.dampening,
                nesterov=self.nesterov,
                fused=True,
            )
        except ValueError as error:
            raise ConfigError(f"optimizer: {error}") from None
        optimizer.register_step_pre_hook(_zero_what_was_not_used)
        follow(net, optimizer)
        return optimizer


def _zero_what_was_not_used(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
    """Give every parameter that learns, but has no gradient, the gradient zero."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is None and parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
