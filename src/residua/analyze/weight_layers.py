"""The layers with weights on the main path of a network, which is what depth counts.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385: projections on shortcuts do not count.
"""

from torch import nn

from residua.errors import ConfigError
from residua.nets.describe import role_of

WeightLayer = nn.Conv2d | nn.Linear


def weight_layers(net: nn.Module) -> dict[str, WeightLayer]:
    """List the convolutions and linear layers of the main path by their dotted paths.

    Raises:
        ConfigError: there are none.
    """
    found = {
        name: module
        for name, module in net.named_modules()
        if isinstance(module, WeightLayer) and role_of(name) == "main"
    }
    if not found:
        raise ConfigError(
            f"{type(net).__name__} has no convolution and no linear layer on its main path"
        )
    return found
