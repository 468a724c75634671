"""Finding objects on pictures."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from residua.deploy.answers import objects
from residua.deploy.predictor import Finder
from residua.deploy.serve.line import Wish


class Finding:
    """Reads pictures and finds objects on them.

    Args:
        finder: answers.
        most: pictures that it is asked about together.
        pixels: that a picture may have.
    """

    def __init__(self, finder: Finder, *, most: int, pixels: int) -> None:
        self._finder = finder
        self._pixels = pixels
        self.most = most
        self.maps = False

    def warm_up(self) -> None:
        """Look at a grey picture, so that the first who asks does not wait for preparations."""
        resize = self._finder.detector.resize
        self._finder.find(
            [torch.full((3, resize.short, resize.short), 128, dtype=torch.uint8)], 0.5
        )

    def prepare(self, content: bytes, wish: Wish) -> Tensor:
        """Read a picture at its own size."""
        return self._finder.read(content, most_pixels=self._pixels)

    def answer(self, prepared: Sequence[Tensor], wishes: Sequence[Wish]) -> list[dict[str, Any]]:
        """Say where which objects are, the surest first."""
        found = self._finder.find(prepared, min(wish.threshold for wish in wishes))
        answers = []
        for picture, every, wish in zip(prepared, found, wishes, strict=True):
            told = objects(every.at_least(wish.threshold), self._finder.classes)
            answers.append({"size": [picture.shape[2], picture.shape[1]], "objects": told})
        return answers
