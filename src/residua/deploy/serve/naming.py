"""Naming what is on pictures, as many at a time as are asked about.

Dimension key:
    N pictures   C channels   H, W height and width   K classes   T of them asked for   h, w height
    and width of activation maps
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from residua.data.decode import opened
from residua.data.upright import orientation, upright_size
from residua.deploy.predictor import Classifier
from residua.deploy.serve.line import Wish
from residua.errors import DataError, RunError

# Classes of a picture that have a map, the most probable first.
MAPPED = 10


class Read(NamedTuple):
    """A picture: its pixels C, H, W as the network sees them, and its own width and height."""

    pixels_CHW: Tensor
    size: tuple[int, int] | None


class Naming:
    """Reads pictures and names what is on them.

    Args:
        classifier: answers.
        most: pictures that it is asked about together.
        pixels: that a picture may have.
    """

    def __init__(self, classifier: Classifier, *, most: int, pixels: int) -> None:
        self._classifier = classifier
        self._pixels = pixels
        self.most = most
        self.maps = False

    def warm_up(self) -> None:
        """Ask about grey pictures, so that the first who asks does not wait for preparations.

        Raises:
            RunError: what the network says is not a number.
        """
        grey_NCHW = torch.full((self.most, *self._classifier.shape), 128, dtype=torch.uint8)
        for count in {1, self.most}:
            if not self._classifier.probabilities(grey_NCHW[:count]).isfinite().all():
                raise RunError(
                    f"{self._classifier.folder} cannot be served: its network answers with what is "
                    "no number, so its training has diverged; train it again with a lower rate"
                )
        self.maps = self._classifier.maps(grey_NCHW[:1]) is not None

    def prepare(self, content: bytes, wish: Wish) -> Read:
        """Read a picture as training and testing did."""
        pixels_CHW = self._classifier.read(content, most_pixels=self._pixels)
        size = _size(content) if wish.maps else None
        return Read(255 - pixels_CHW if wish.invert else pixels_CHW, size)

    def answer(self, prepared: Sequence[Read], wishes: Sequence[Wish]) -> list[dict[str, Any]]:
        """Name the most probable classes of each.

        Raises:
            DataError: the network has no number for one.
        """
        pixels_NCHW = torch.stack([each.pixels_CHW for each in prepared])
        top = min(max(wish.top for wish in wishes), len(self._classifier.classes))
        probabilities_NK = self._classifier.probabilities(pixels_NCHW)
        if not probabilities_NK.isfinite().all():
            # Of several pictures each is asked about again alone.
            raise DataError("the network answers to the picture with what is no number")
        best = probabilities_NK.topk(top)
        answers = [
            self._named(shares[: wish.top], indices[: wish.top])
            for shares, indices, wish in zip(
                best.values.tolist(), best.indices.tolist(), wishes, strict=True
            )
        ]
        if self._classifier.shape[0] == 1:
            for each, found in zip(prepared, answers, strict=True):
                found["swapped"] = self._classifier.looks_inverted(each.pixels_CHW)
        if self.maps:
            wanted = [number for number, wish in enumerate(wishes) if wish.maps]
            self._add_maps([answers[number] for number in wanted], [prepared[n] for n in wanted])
        return answers

    def _named(self, shares: list[float], indices: list[int]) -> dict[str, Any]:
        classes = self._classifier.classes
        named = [
            {"class": classes[index], "index": index, "probability": round(share, 6)}
            for share, index in zip(shares, indices, strict=True)
        ]
        return {"classes": named}

    def _add_maps(self, answers: list[dict[str, Any]], pictures: list[Read]) -> None:
        """Add how much each place speaks for each class that is named."""
        if not pictures:
            return
        maps_NKhw = self._classifier.maps(torch.stack([each.pixels_CHW for each in pictures]))
        assert maps_NKhw is not None
        _, height, width = self._classifier.shape
        for found, maps_Khw, picture in zip(answers, maps_NKhw, pictures, strict=True):
            for named in found["classes"][:MAPPED]:
                named["map"] = [
                    [round(value, 4) for value in row] for row in maps_Khw[named["index"]].tolist()
                ]
            assert picture.size is not None
            box = self._classifier.fit.box(picture.size, (width, height))
            found["size"] = list(picture.size)
            found["seen"] = [round(edge, 2) for edge in box]


def _size(content: bytes) -> tuple[int, int]:
    """Return width and height of a picture as one looks at it."""
    with opened(content) as picture:
        return upright_size(picture, orientation(picture))
