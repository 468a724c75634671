"""Several augmentations, one after another."""

from typing import Annotated, Literal

from torch import Generator, Tensor

from residua.config import settings, tagged
from residua.data.augment.steps import Step


@settings
class Chain:
    """Apply every step in order, each to what the one before it returned.

    All steps draw from the same generator, so a batch is still a function of it alone.

    Attributes:
        steps: the augmentations.
    """

    kind: Literal["chain"] = "chain"
    steps: tuple[Annotated[Step, tagged], ...] = ()

    def apply(self, images: Tensor, generator: Generator) -> Tensor:
        """Apply the steps to a batch of shape N, C, H, W."""
        for step in self.steps:
            images = step.apply(images, generator)
        return images
