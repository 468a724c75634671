"""How the weights of a network are first drawn.

Sources:
    [I] He et al., Delving Deep into Rectifiers, arXiv:1502.01852, equation 10.
    [G] Goyal et al., Accurate, Large Minibatch SGD, arXiv:1706.02677, section 5.1.
"""

from torch import nn


def initialize(net: nn.Module) -> None:
    """Draw the weights as He et al. do: `W ~ N(0, 2 / fan_in)`; BN starts as the identity ([I]).

    Biases are zero. The linear layer keeps PyTorch's uniform distribution, as in the authors'
    released code, since neither paper states one for it.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
        if isinstance(module, nn.Conv2d | nn.Linear) and module.bias is not None:
            nn.init.zeros_(module.bias)
