"""How the weights of a network are first drawn.

Sources:
    [I] He et al., Delving Deep into Rectifiers, arXiv:1502.01852, equation 10.
    [X] Glorot and Bengio, Understanding the Difficulty of Training Deep Feedforward Neural
        Networks, 2010; as Caffe's "xavier" has it, which looks at the inputs alone.
    [G] Goyal et al., Accurate, Large Minibatch SGD, arXiv:1706.02677, section 5.1.
"""

from torch import nn

from residua.errors import ConfigError
from residua.nn.blocks import GatedBlock, HighwayBlock, ResidualBlock, StochasticBlock

INITIALIZATION = "convolutions N(0, 2 / fan_in), linear layers uniform, biases 0 but for gates"

Weighted = nn.Conv2d | nn.Linear | nn.BatchNorm2d


def initialize(net: nn.Module, *, zero_init_residual: bool = False) -> None:
    """Draw the weights as He et al. do: `W ~ N(0, 2 / fan_in)`; BN starts as the identity ([I]).

    Biases are zero, but for those of gates, which stay. The linear layer keeps PyTorch's uniform
    distribution, as in the authors' released code, since neither paper states one for it.

    Args:
        net: is changed.
        zero_init_residual: start every residual function at zero: the last batch normalization
            of F, or its last convolution where none follows, gets zero weights ([G]).

    Raises:
        ConfigError: zeros are wanted where no residual function could ever leave them.
    """
    for name, module in net.named_modules():
        if isinstance(module, nn.Conv2d) and not module.weight.is_meta:
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        is_gate = "gate" in name.split(".") or "carry" in name.split(".")
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None and not is_gate:
            nn.init.zeros_(module.bias)
    if zero_init_residual:
        _zero_residuals(net)


def initialize_xavier(net: nn.Module) -> None:
    """Draw all weights `W ~ U(-a, a)` with `a = sqrt(3 / fan_in)` ([X]); biases stay as they are.

    Args:
        net: is changed.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear) and not module.weight.is_meta:
            bound = (3 / module.weight[0].numel()) ** 0.5
            nn.init.uniform_(module.weight, -bound, bound)


def _zero_residuals(net: nn.Module) -> None:
    blocks = [
        m for m in net.modules() if isinstance(m, ResidualBlock | StochasticBlock | GatedBlock)
    ]
    if not blocks:
        kind = "highway" if any(isinstance(m, HighwayBlock) for m in net.modules()) else "plain"
        raise ConfigError(f"zero_init_residual needs residual blocks: this is a {kind} net")
    for block in blocks:
        parts = [module for module in block.residual.modules() if not list(module.children())]
        if isinstance(parts[-1], nn.ReLU):
            raise ConfigError(
                "zero_init_residual does not fit a residual function that ends in ReLU (order "
                "'relu_before_add'): its gradient at zero is zero, and it would never be trained"
            )
        last = next(module for module in reversed(parts) if isinstance(module, Weighted))
        for parameter in last.parameters():
            nn.init.zeros_(parameter)
