"""How long networks take, measured side by side."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from residua import runtime
from residua.errors import ConfigError
from residua.nn.modes import evaluating


@torch.inference_mode()
def milliseconds(
    nets: Sequence[nn.Module], input_shape: Sequence[int], *, batch: int = 1, rounds: int = 30
) -> list[float]:
    """Measure how long nets take for one input, in turns; return the least time of each.

    In turns, so that whatever else the machine does falls on all alike, and the least, since that
    only ever adds to it. In eval mode and float32, inputs in the order in memory in which the
    weights are. Each net runs three times beforehand.

    Args:
        nets: on one device; their modes are restored.
        input_shape: C, H, W.
        batch: inputs at a time; the time is divided by it.
        rounds: turns.

    Raises:
        ConfigError: no input at a time, or no turn.
    """
    if batch < 1 or rounds < 1:
        raise ConfigError(
            f"time is measured with at least 1 input and 1 turn, got {batch}, {rounds}"
        )
    taken: list[list[float]] = [[] for _ in nets]
    inputs = [_input(net, (batch, *input_shape)) for net in nets]
    with evaluating(*nets):
        for turn in range(-3, rounds):
            for index, net in enumerate(nets):
                seconds = _seconds(net, inputs[index])
                if turn >= 0:
                    taken[index].append(1000 * seconds / batch)
    return [min(times) for times in taken]


def _seconds(net: nn.Module, images: Tensor) -> float:
    began = runtime.now(images.device)
    net(images)
    return runtime.now(images.device) - began


def _input(net: nn.Module, shape: tuple[int, ...]) -> Tensor:
    weight = next((p for p in net.parameters() if p.ndim == 4), None)
    device = next((p.device for p in net.parameters()), torch.device("cpu"))
    images = torch.zeros(shape, device=device)
    last = weight is not None and weight.is_contiguous(memory_format=torch.channels_last)
    return images.contiguous(memory_format=torch.channels_last) if last else images
