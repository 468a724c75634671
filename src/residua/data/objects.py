"""Pictures with objects in them: what is known of one picture, and what a set of them offers.

Boxes are XYXY: left, top, right, bottom in pixels of the picture, half-open, from its top left
corner. Label 0 is the background and never that of an object: classes are numbered from 1.

Dimension key:
    R objects of a picture   K classes   H, W height and width in pixels
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol, Self

import torch
from torch import Tensor

from residua.errors import DataError, ShapeError

TYPES = {
    "boxes_R4": torch.float32,
    "labels_R": torch.int64,
    "difficult_R": torch.bool,
    "crowd_R": torch.bool,
    "area_R": torch.float32,
}


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects of one picture; there may be none.

    Args:
        boxes_R4: float32, XYXY, half-open pixels.
        labels_R: int64, in [1, K].
        difficult_R: bool; such objects (of VOC) are neither learned from nor, by default, counted.
        crowd_R: bool; such boxes (of COCO) hold many objects and are not learned from; what is
            found in them is neither right nor wrong.
        area_R: float32, in pixels: of the outline where that is annotated, else of the box.

    Raises:
        ShapeError: the tensors do not belong together.
    """

    boxes_R4: Tensor
    labels_R: Tensor
    difficult_R: Tensor
    crowd_R: Tensor
    area_R: Tensor

    def __post_init__(self) -> None:
        count = len(self.boxes_R4) if self.boxes_R4.ndim else 0
        for name, kind in TYPES.items():
            held = getattr(self, name)
            shape = (count, 4) if name == "boxes_R4" else (count,)
            if tuple(held.shape) != shape or held.dtype != kind:
                raise ShapeError(
                    f"{name} must have the shape {shape} and the type {kind}, got "
                    f"{tuple(held.shape)} of {held.dtype}"
                )

    @classmethod
    def of(
        cls,
        boxes_R4: Tensor | Sequence[Sequence[float]],
        labels_R: Tensor | Sequence[int],
        *,
        difficult_R: Tensor | Sequence[bool] | None = None,
        crowd_R: Tensor | Sequence[bool] | None = None,
        area_R: Tensor | Sequence[float] | None = None,
    ) -> Self:
        """Make one of tensors or lists, and check the values.

        Args:
            boxes_R4: as above; an empty list is a picture without objects.
            labels_R: as above.
            difficult_R: none is, by default.
            crowd_R: none is, by default.
            area_R: that of the boxes, by default.

        Raises:
            ShapeError: the tensors do not belong together.
            DataError: a label is below 1, a coordinate is not finite, or a box ends before it
                begins.
        """
        boxes = torch.as_tensor(boxes_R4, dtype=torch.float32)
        boxes = boxes.reshape(0, 4) if boxes.ndim < 2 and not boxes.numel() else boxes
        labels = torch.as_tensor(labels_R, dtype=torch.int64)
        none = torch.zeros(len(labels) if labels.ndim else 0, dtype=torch.bool)
        made = cls(
            boxes,
            labels,
            none if difficult_R is None else torch.as_tensor(difficult_R, dtype=torch.bool),
            none if crowd_R is None else torch.as_tensor(crowd_R, dtype=torch.bool),
            _area(boxes) if area_R is None else torch.as_tensor(area_R, dtype=torch.float32),
        )
        made._check_values()
        return made

    @classmethod
    def none(cls) -> Self:
        """Make that of a picture without objects."""
        return cls.of([], [])

    def _check_values(self) -> None:
        if not len(self):
            return
        if int(self.labels_R.min()) < 1:
            raise DataError(
                f"the label of an object is {int(self.labels_R.min())}, but classes are numbered "
                "from 1 (0 is the background)"
            )
        boxes = self.boxes_R4
        wrong = ~(boxes.isfinite().all(dim=1) & (boxes[:, 2:] >= boxes[:, :2]).all(dim=1))
        if wrong.any():
            raise DataError(
                f"the box {boxes[wrong][0].tolist()} is none: left, top, right, bottom must be "
                "finite, with left at most right and top at most bottom"
            )

    def __len__(self) -> int:
        return len(self.boxes_R4)

    def __getitem__(self, chosen: Tensor) -> Self:
        """Return some of the objects, by their indices or a mask of R."""
        return type(self)(*(getattr(self, field.name)[chosen] for field in fields(self)))

    def to(self, device: torch.device) -> Self:
        """Return the same on a device."""
        return type(self)(*(getattr(self, field.name).to(device) for field in fields(self)))

    def learnable(self) -> Self:
        """Leave out what is not learned from: difficult objects, crowds, boxes without area."""
        return self[~self.difficult_R & ~self.crowd_R & (_area(self.boxes_R4) > 0)]

    def scaled(self, ratios: tuple[float, float]) -> Self:
        """Return the objects of the picture resized: new height and width divided by the old."""
        y, x = ratios
        scale = torch.tensor([x, y, x, y], device=self.boxes_R4.device)
        held = (self.labels_R, self.difficult_R, self.crowd_R, self.area_R * (x * y))
        return type(self)(self.boxes_R4 * scale, *held)

    def flipped(self, width: float) -> Self:
        """Return the objects of the picture with left and right swapped."""
        left, top, right, bottom = self.boxes_R4.unbind(dim=1)
        boxes = torch.stack([width - right, top, width - left, bottom], dim=1)
        return type(self)(boxes, self.labels_R, self.difficult_R, self.crowd_R, self.area_R)


class Annotated(Protocol):
    """A set of pictures with their objects, in memory or in files.

    Attributes:
        classes: K names, without the background; that of label k is `classes[k - 1]`.
        names: of the pictures, each another: the stem of a file of VOC, the id of one of COCO.
        sizes: height and width of each picture as one looks at it.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def sizes(self) -> list[tuple[int, int]]: ...

    def __len__(self) -> int: ...

    def picture(self, index: int) -> Tensor:
        """Return a picture: 3, H, W of uint8, red, green and blue."""
        ...

    def objects(self, index: int) -> Objects:
        """Return what is in a picture, in its own pixels."""
        ...

    def select(self, indices: Tensor) -> Self:
        """Return the pictures with these indices, in their order."""
        ...

    def fingerprint(self) -> str:
        """Name the content: twelve hexadecimal digits."""
        ...


@dataclass(frozen=True)
class AnnotatedSplits:
    """The three parts of a set of pictures with objects.

    Args:
        train: to learn from.
        validation: to choose with; None where nothing is chosen.
        test: looked at once, when everything is chosen.
    """

    train: Annotated
    validation: Annotated | None
    test: Annotated


def check_labels(labels: Tensor, classes: tuple[str, ...]) -> None:
    """See that every label has a class.

    Raises:
        DataError: one has none.
    """
    if labels.numel() and int(labels.max()) > len(classes):
        raise DataError(
            f"an object has the label {int(labels.max())}, but there are {len(classes)} classes, "
            f"numbered 1 to {len(classes)}"
        )


def _area(boxes_R4: Tensor) -> Tensor:
    if boxes_R4.ndim != 2 or boxes_R4.shape[1] != 4:
        return boxes_R4.new_zeros(len(boxes_R4) if boxes_R4.ndim else 0)
    width, height = (boxes_R4[:, 2:] - boxes_R4[:, :2]).unbind(dim=1)
    return width * height
