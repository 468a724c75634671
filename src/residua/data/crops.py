"""Single objects cut out of annotated pictures: to train the trunk of a detector on first.

Dimension key:
    R objects of a picture   K classes
"""

import math
from collections.abc import Iterator
from typing import Annotated as Noted
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from residua.config import settings, tagged
from residua.data.coco import CocoConfig
from residua.data.images import ImageSet, hold_out
from residua.data.loading import Splits
from residua.data.objects import Annotated
from residua.data.scenes import ScenesConfig
from residua.data.voc import VocConfig
from residua.errors import ConfigError, DataError
from residua.runtime import generator

BACKGROUND = "background"
# A place is tried as often before a picture is taken to have no free one.
ATTEMPTS = 20


@settings
class ObjectCropsConfig:
    """Every object that is learned from as a picture of its own, and places without objects.

    What is cut out is a square around the object, moved inside the picture where it can be. The
    last class is "background". Nothing of the parts that are chosen with or tested on is used: all
    three parts here are of the pictures that are learned from.

    Attributes:
        data: the annotated pictures.
        size: height and width in pixels.
        margin: share of the larger side of an object that is added around it.
        most: at most so many objects, evenly spread over the pictures.
        background: places without objects per object.
        holdout: share to choose with, and to test on.
        seed: of the places and of what is held out.
    """

    kind: Literal["object_crops"] = "object_crops"
    data: Noted[VocConfig | CocoConfig | ScenesConfig, tagged]
    size: int = 64
    margin: float = 0.2
    most: int = 20_000
    background: float = 0.25
    holdout: float = 0.1
    seed: int = 0

    def load(self) -> Splits:
        """Cut them out.

        Raises:
            ConfigError: a number is out of range.
            DataError: there are too few objects.
        """
        _check(self)
        found = cut_out(self.data.load().train, self)
        count = max(1, round(self.holdout * len(found)))
        if len(found) < 3 * count:
            raise DataError(f"{len(found)} objects are too few to learn from")
        rest, test = hold_out(found, count)
        train, validation = hold_out(rest, count)
        assert test is not None
        return Splits(train, validation, test)


def cut_out(pictures: Annotated, config: ObjectCropsConfig) -> ImageSet:
    """Cut the objects of pictures out, and places without any, at one size."""
    random = generator(config.seed, "crops")
    total = sum(len(pictures.objects(index).learnable()) for index in range(len(pictures)))
    every = max(1, math.ceil(total / config.most))
    crops: list[Tensor] = []
    labels: list[int] = []
    seen, wanted = 0, 0.0
    for index in range(len(pictures)):
        known = pictures.objects(index)
        objects = known.learnable()
        chosen = [number for number in range(len(objects)) if (seen + number) % every == 0]
        seen += len(objects)
        if not chosen:
            continue
        picture = pictures.picture(index)
        wanted += config.background * len(chosen)
        places = list(_places(picture, known.boxes_R4, int(wanted), random))
        wanted -= int(wanted)
        boxes = [*objects.boxes_R4[chosen], *places]
        crops += [_crop(picture, box, config) for box in boxes]
        labels += [label - 1 for label in objects.labels_R[chosen].tolist()]
        labels += [len(pictures.classes)] * len(places)
    if not crops:
        raise DataError("the pictures have no objects to cut out")
    return ImageSet(torch.stack(crops), torch.tensor(labels), (*pictures.classes, BACKGROUND))


def _crop(picture: Tensor, box: Tensor, config: ObjectCropsConfig) -> Tensor:
    """Cut a square around a box and bring it to the size."""
    height, width = picture.shape[1:]
    left, top, right, bottom = box.tolist()
    side = max(right - left, bottom - top) * (1 + config.margin)
    side = max(1, min(round(side), height, width))
    x = min(max(round((left + right - side) / 2), 0), width - side)
    y = min(max(round((top + bottom - side) / 2), 0), height - side)
    square = picture[None, :, y : y + side, x : x + side].float()
    size = (config.size, config.size)
    resized = F.interpolate(square, size, mode="bilinear", antialias=True)
    return resized[0].round().clamp(0, 255).to(torch.uint8)


def _places(picture: Tensor, boxes_R4: Tensor, count: int, random: Generator) -> Iterator[Tensor]:
    """Draw squares, as large as some object, of which no object takes a tenth."""
    height, width = picture.shape[1:]
    sides_R = (boxes_R4[:, 2:] - boxes_R4[:, :2]).amax(dim=1).clamp(8, min(height, width))
    for _ in range(count):
        number_A = torch.randint(len(sides_R), (ATTEMPTS,), generator=random)
        side_A1 = sides_R[number_A][:, None]
        room_A2 = torch.tensor([width, height]) - side_A1
        corner_A2 = torch.rand(ATTEMPTS, 2, generator=random) * room_A2
        tried_A4 = torch.cat([corner_A2, corner_A2 + side_A1], dim=1)
        low_AR2 = torch.maximum(boxes_R4[:, :2], tried_A4[:, None, :2])
        high_AR2 = torch.minimum(boxes_R4[:, 2:], tried_A4[:, None, 2:])
        shared_AR = (high_AR2 - low_AR2).clamp_min(0).prod(dim=2)
        free_A = (shared_AR < 0.1 * side_A1.square()).all(dim=1)
        if free_A.any():
            yield tried_A4[int(free_A.int().argmax())]


def _check(config: ObjectCropsConfig) -> None:
    if config.size < 8 or config.most < 1:
        raise ConfigError(
            f"data.size must be at least 8 and data.most at least 1, got {config.size} and "
            f"{config.most}"
        )
    for name, most in (("margin", 10.0), ("background", 10.0), ("holdout", 0.3)):
        if not 0 <= getattr(config, name) <= most:
            raise ConfigError(f"data.{name} must be in [0, {most:g}], got {getattr(config, name)}")
