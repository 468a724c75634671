"""A sequence of modules that have names, so that state-dict keys do not depend on positions."""

from collections import OrderedDict

from torch import nn


def chain(**parts: nn.Module) -> nn.Sequential:
    """Apply the parts in the order given: `chain(conv=..., norm=...)` has keys `conv.weight`."""
    return nn.Sequential(OrderedDict(parts))
