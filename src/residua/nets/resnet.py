"""The one network class: a stem, stages of blocks, and a linear head on the pooled features.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 1 and section 4.2.
    [P] He et al., Identity Mappings, arXiv:1603.05027, section 3.1 (the last activation).
"""

from collections.abc import Iterable

from torch import Tensor, nn

from residua.nets.inputs import Input


class GlobalAverage(nn.Module):
    """`y = mean of x over H and W`.

    Shape:
        x: N, C, H, W.  y: N, C.
    """

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(dim=(2, 3))


class ResNet(nn.Module):
    """`logits = head(average(last(stages(pool(stem(x))))))`.

    Shape:
        x: N, C, H, W.  y: N, K for K classes.

    Args:
        stem: what stands before the first stage; its output is C1.
        stages: one module per stage; their outputs are C2, C3, ...
        head: from the pooled features (N, D) to logits (N, K).
        takes: the pictures that fit; others are refused with a sentence.
        pool: between C1 and the first stage (the max-pooling of [R] table 1); none if not given.
        last: the activation after the last addition of pre-activation nets ([P]).
        average: from N, D, H, W to what the head takes; the mean over H and W if not given.
    """

    def __init__(
        self,
        *,
        stem: nn.Module,
        stages: Iterable[nn.Module],
        head: nn.Module,
        takes: Input,
        pool: nn.Module | None = None,
        last: nn.Module | None = None,
        average: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.stem = stem
        self.pool = pool or nn.Identity()
        self.stages = nn.Sequential(*stages)
        self.last = last or nn.Identity()
        self.average = average or GlobalAverage()
        self.head = head
        self.takes = takes
        self.register_forward_pre_hook(takes)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.average(self.last(self.stages(self.pool(self.stem(x))))))

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Return the output of the stem as "C1" and of the stages as "C2", "C3", ...

        Raises:
            ShapeError: the pictures do not fit.
        """
        self.takes.check(x)
        outputs = {"C1": self.stem(x)}
        y = self.pool(outputs["C1"])
        for number, stage in enumerate(self.stages, start=2):
            y = outputs[f"C{number}"] = stage(y)
        return outputs
