"""The order of channels behind option A, where another library pads zeros on both sides.

akamaster/pytorch_resnet_cifar10 puts half of the new channels before the existing ones, where fb's
code and ours put all of them after. The two nets are the same but for the order of the channels of
each stage, so that weights are converted by reordering them.
"""

import re

import torch
from torch import Tensor

INSIDE = re.compile(r"stages\.(\d+)\.(\d+)\.residual\.(conv|norm)(\d)\.(\w+)")


def padded_on_both_sides(channels: list[int]) -> list[Tensor]:
    """Give for each stage the place, in the other library, of each channel of ours.

    Args:
        channels: of the output of each stage.
    """
    order = torch.arange(channels[0])
    orders = [order]
    for count in channels[1:]:
        before = (count - len(order)) // 2
        kept = order + before
        new = torch.tensor([c for c in range(count) if not before <= c < before + len(order)])
        order = torch.cat([kept, new.to(torch.long)])
        orders.append(order)
    return orders


def reorder(state: dict[str, Tensor], orders: list[Tensor]) -> dict[str, Tensor]:
    """Apply an order of channels to the weights of basic units and of the head, by our names."""
    result: dict[str, Tensor] = {}
    for name, value in state.items():
        match = INSIDE.fullmatch(name)
        if name == "head.weight":
            result[name] = value[:, orders[-1]]
        elif match is None or not value.ndim:
            result[name] = value
        else:
            stage, unit, part, number = int(match[1]), int(match[2]), match[3], int(match[4])
            own, before = orders[stage], orders[stage - 1 if unit == 0 and stage else stage]
            if number == 2:
                result[name] = value[own]
            else:
                result[name] = value[:, before] if part == "conv" else value
    return result


def inverse(orders: list[Tensor]) -> list[Tensor]:
    """Give the orders that undo others."""
    return [order.argsort() for order in orders]
