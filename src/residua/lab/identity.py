"""Plain and residual blocks fit the identity, and functions that are close to it.

Sources:
    [U] Ye, Residual Learning (slides), University of Queensland, "Why residual blocks": near-
        identity functions are hard to learn for ordinary blocks, their residuals easy.
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.1, the hypothesis behind it.
    [I] He et al., Delving Deep into Rectifiers, arXiv:1502.01852, equation 10.

Dimension key:
    M blocks trained side by side: rates, targets and seeds   S seeds   N inputs   D width
    T iterations
"""

import dataclasses
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Generator, Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from residua import report, runtime
from residua.config import settings
from residua.errors import ConfigError
from residua.nn.blocks import PlainBlock, ResidualBlock
from residua.nn.chain import chain
from residua.report.identity import KINDS, TARGETS, Fit, IdentityStudy, Kind, Target

# Inputs by which the small map is brought to mean square 1.
SCALED_BY = 4096
# Points of a course.
POINTS = 50

Progress = Callable[[int, int], None]


@settings
class IdentityConfig:
    """What blocks are trained on, and how.

    Attributes:
        layers: weighted layers of the blocks, each followed by ReLU but for the last.
        width: of every layer, and of inputs and outputs.
        small: size of the small map, against an input of size 1.
        iterations: updates of each block.
        batch_size: fresh inputs per update.
        rates: learning rates, constant; of each kind of block the best one counts.
        momentum: of SGD.
        seeds: trainings of each block, with seeds counting up from 0.
    """

    layers: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    width: int = 16
    small: float = 0.1
    iterations: int = 2000
    batch_size: int = 64
    rates: tuple[float, ...] = (1.0, 0.3, 0.1, 0.03)
    momentum: float = 0.9
    seeds: int = 3

    def check(self) -> None:
        """Refuse settings that no study can have.

        Raises:
            ConfigError: a number is missing, or too small.
        """
        if not self.layers or min(self.layers) < 1:
            raise ConfigError(f"layers must be numbers of at least 1, got {self.layers}")
        if min(self.width, self.iterations, self.batch_size, self.seeds) < 1:
            raise ConfigError("width, iterations, batch_size and seeds must be at least 1")
        if not self.rates or min(self.rates) <= 0:
            raise ConfigError(f"rates must be above 0, got {self.rates}")


def fit_identity(config: IdentityConfig, *, progress: Progress | None = None) -> IdentityStudy:
    """Train blocks of both kinds and of every depth on both targets.

    Every block of one seed sees the same inputs in the same order, and a plain and a residual one
    of equal layers begin with the same weights. Inputs are drawn anew for every update, so the
    loss of an update is one on inputs never seen.

    Args:
        config: what is trained.
        progress: called with the blocks that are done and those there are.

    Raises:
        ConfigError: settings that no study can have.
    """
    config.check()
    began = time.perf_counter()
    fits: list[Fit] = []
    total = len(KINDS) * len(config.layers)
    for layers in config.layers:
        for kind in KINDS:
            fits += _fits(config, kind, layers)
            if progress is not None:
                progress(len(fits) // len(TARGETS), total)
    return IdentityStudy(
        fits=tuple(fits),
        small=config.small,
        seeds=config.seeds,
        settings=_told(config),
        seconds=time.perf_counter() - began,
    )


def page(folder: Path, study: IdentityStudy) -> Path:
    """Write the page, its figures and its numbers into a folder, and return the page."""
    return report.write_identity(
        folder,
        study,
        environment=runtime.environment(torch.device("cpu"), torch.float32),
        command=runtime.command_line(),
    )


def block(kind: Kind, layers: int, width: int, generator: Generator) -> nn.Module:
    """Build a block: `y = F(x)` or `y = F(x) + x`, with `F = W_L relu(... W_2 relu(W_1 x))`.

    Weights are drawn from N(0, 2 / width) ([I]), biases are 0.
    """
    parts: dict[str, nn.Module] = {}
    for number in range(1, layers + 1):
        linear = nn.Linear(width, width)
        nn.init.normal_(linear.weight, std=math.sqrt(2 / width), generator=generator)
        nn.init.zeros_(linear.bias)
        parts[f"linear{number}"] = linear
        if number < layers:
            parts[f"relu{number}"] = nn.ReLU()
    function, nothing = chain(**parts), nn.Identity()
    if kind == "plain":
        return PlainBlock(before=nothing, residual=function, after=nothing)
    return ResidualBlock(before=nothing, residual=function, shortcut=nothing, after=nothing)


def small_maps(config: IdentityConfig) -> Callable[[Tensor], Tensor]:
    """Make `g(x) = B tanh(A x)` for every seed, of mean square 1 on the inputs.

    Shape:
        x: S, N, D.  y: S, N, D.
    """
    d = config.width
    a_SDD: list[Tensor] = []
    b_SDD: list[Tensor] = []
    for seed in range(config.seeds):
        random = runtime.generator(seed, "identity", "map")
        a, b = (torch.randn(d, d, generator=random) / math.sqrt(d) for _ in range(2))
        x_ND = torch.randn(SCALED_BY, d, generator=random)
        scale = (torch.tanh(x_ND @ a) @ b).square().mean().sqrt()
        a_SDD.append(a)
        b_SDD.append(b / scale)
    first, second = torch.stack(a_SDD), torch.stack(b_SDD)
    return lambda x_SND: torch.tanh(x_SND @ first) @ second


def _fits(config: IdentityConfig, kind: Kind, layers: int) -> list[Fit]:
    """Train one block with every rate on every target and seed; of the rates the best remains."""
    losses_TM = _train(config, kind, layers)
    shape = (-1, len(config.rates), len(TARGETS), config.seeds)
    losses = losses_TM.view(shape).nan_to_num(nan=math.inf)
    last = max(1, config.iterations // 10)
    end = losses[-last:].mean(dim=0).median(dim=2).values
    fits: list[Fit] = []
    for number, target in enumerate(TARGETS):
        best = int(end[:, number].argmin())
        fits.append(_fit(config, losses[:, best, number], kind, target, (layers, best)))
    return fits


def _fit(
    config: IdentityConfig, losses_TS: Tensor, kind: Kind, target: Target, at: tuple[int, int]
) -> Fit:
    layers, best = at
    window = max(1, config.iterations // POINTS)
    count = config.iterations // window
    course_PS = losses_TS[: count * window].view(count, window, -1).mean(dim=1)
    return Fit(
        target=target,
        kind=kind,
        layers=layers,
        rate=config.rates[best],
        iterations=tuple(window * (point + 1) for point in range(count)),
        losses=tuple(tuple(seed) for seed in course_PS.T.tolist()),
    )


def _train(config: IdentityConfig, kind: Kind, layers: int) -> Tensor:
    """Train M blocks side by side with SGD, and return the loss of every update: T, M."""
    rates, targets, seeds = len(config.rates), len(TARGETS), config.seeds
    drawn = [runtime.generator(seed, "identity", layers) for seed in range(seeds)]
    blocks = [block(kind, layers, config.width, random) for random in drawn]
    stacked, _ = stack_module_state(blocks)
    weights = {name: _copies(value.detach(), rates * targets) for name, value in stacked.items()}
    speeds = {name: torch.zeros_like(value) for name, value in weights.items()}
    rate_M = torch.tensor(config.rates).repeat_interleave(targets * seeds)
    g, one = small_maps(config), blocks[0]
    inputs = [runtime.generator(seed, "identity", "inputs") for seed in range(seeds)]
    sizes = torch.tensor([0.0 if target == "x" else config.small for target in TARGETS])
    losses: list[Tensor] = []

    def say(weights: dict[str, Tensor], x_ND: Tensor) -> Tensor:
        return functional_call(one, weights, (x_ND,))

    for _ in range(config.iterations):
        x_SND = torch.stack(
            [torch.randn(config.batch_size, config.width, generator=each) for each in inputs]
        )
        y = x_SND + sizes[:, None, None, None] * g(x_SND)
        x_MND = _copies(x_SND, rates * targets)
        y_MND = _copies(y.flatten(0, 1), rates)
        leaves = {name: value.requires_grad_() for name, value in weights.items()}
        said_MND = vmap(say)(leaves, x_MND)
        loss_M = (said_MND - y_MND).square().mean(dim=(1, 2))
        gradients = torch.autograd.grad(loss_M.sum(), list(leaves.values()))
        losses.append(loss_M.detach())
        for (name, value), gradient in zip(leaves.items(), gradients, strict=True):
            speeds[name] = config.momentum * speeds[name] + gradient
            rate = rate_M.view(-1, *(1 for _ in value.shape[1:]))
            weights[name] = value.detach() - rate * speeds[name]
    return torch.stack(losses)


def _copies(values: Tensor, count: int) -> Tensor:
    """Repeat along the first axis: all, and all again."""
    return values.repeat(count, *(1 for _ in values.shape[1:]))


def _told(config: IdentityConfig) -> dict[str, str]:
    """Say the settings for the page."""
    rates = ", ".join(f"{rate:g}" for rate in config.rates)
    return {
        "blocks": (
            f"fully connected layers of width {config.width}, ReLU after each but the last; plain: "
            "y = F(x), residual: y = F(x) + x; the same first weights, N(0, 2 / width), biases 0"
        ),
        "inputs": (
            f"x from N(0, 1) in {config.width} dimensions, {config.batch_size} new ones for every "
            "update, the same for all blocks of a seed"
        ),
        "targets": (
            f"y = x, and y = x + {config.small:g} g(x) with g(x) = B tanh(A x) drawn for each seed "
            "and of mean square 1"
        ),
        "loss": "mean square of the difference from y, of which x alone has mean square 1",
        "optimizer": (
            f"SGD, momentum {config.momentum:g}, {config.iterations:,} updates with a constant "
            f"rate; of the rates {rates} the one with the least loss in the last tenth (median of "
            "the seeds), chosen for each block and target"
        ),
        "seeds": f"n = {config.seeds}: weights, inputs and g",
    }


def quick(config: IdentityConfig) -> IdentityConfig:
    """Return the study cut to two updates of few blocks, to see that it runs at all."""
    return dataclasses.replace(config, layers=config.layers[:2], iterations=2, seeds=2)
