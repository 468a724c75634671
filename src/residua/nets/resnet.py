"""The one network class: a stem, stages of blocks, and a linear head on the pooled features.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 1 and section 4.2.
    [I] He et al., Delving Deep into Rectifiers, arXiv:1502.01852, equation 10.
"""

from collections.abc import Iterable

from torch import Tensor, nn


class ResNet(nn.Module):
    """`logits = head(mean over H, W of stages(stem(x)))`.

    Shape:
        x: N, C, H, W.  y: N, K for K classes.

    Args:
        stem: what stands before the first stage; its output is C1.
        stages: one module per stage; their outputs are C2, C3, ...
        head: from the pooled features (N, D) to logits (N, K).
    """

    def __init__(self, *, stem: nn.Module, stages: Iterable[nn.Module], head: nn.Module) -> None:
        super().__init__()
        self.stem = stem
        self.stages = nn.Sequential(*stages)
        self.head = head

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(x)).mean(dim=(2, 3)))

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Return the output of the stem as "C1" and of the stages as "C2", "C3", ..."""
        outputs = {"C1": self.stem(x)}
        for number, stage in enumerate(self.stages, start=2):
            outputs[f"C{number}"] = stage(outputs[f"C{number - 1}"])
        return outputs


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
