"""The layers of a detector as it runs on one picture: the trunk once, the head for every region.

Dimension key:
    N pictures   C channels   H, W height and width   P regions of a picture   p side of a pooled
    region
"""

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from residua.detect.faster_rcnn import FasterRcnn
from residua.nets.describe import Layer, layers

# The parts of a detector in their order, with what runs for every region at the end.
PARTS = ("trunk", "rpn", "pool", "head", "predict")
OF_REGIONS = frozenset({"pool", "head", "predict"})


@dataclasses.dataclass(frozen=True)
class Described:
    """What runs for one picture.

    Attributes:
        layers: row by row; multiply-adds of what runs for a region are those of all regions, output
            sizes those of one.
        anchors: of all places.
        regions: that are looked at.
    """

    layers: list[Layer]
    anchors: int
    regions: int

    def parameters(self, part: str) -> int:
        """Add up the parameters of one of `PARTS`."""
        return sum(row.parameters for row in self._of(part))

    def multiply_adds(self, part: str) -> int:
        """Add up the multiply-adds of one of `PARTS`, for a picture."""
        return sum(row.multiply_adds for row in self._of(part))

    def _of(self, part: str) -> list[Layer]:
        return [row for row in self.layers if part_of(row.name) == part]


def part_of(name: str) -> str:
    """Say which part of a detector a layer is in, by its dotted path."""
    return name.partition(".")[0]


def describe(net: FasterRcnn, shape: Sequence[int]) -> Described:
    """List what runs for a picture of some size in a test, without computing anything.

    Args:
        net: stays as it is.
        shape: C, H, W of a picture as the net is given it.
    """
    parts = _Parts(net)
    rows = layers(parts, shape)
    features = next(row for row in reversed(rows) if part_of(_own(row)) == "trunk")
    _, height, width = features.output
    anchors = height * width * len(net.rpn.cells)
    regions = min(net.proposing.test_post, net.proposing.test_pre, anchors)
    looked_at = regions + (1 if net.context else 0)
    named = [dataclasses.replace(row, name=_own(row)) for row in rows]
    shared = [row for row in named if part_of(row.name) not in OF_REGIONS]
    repeated = [row for row in named if part_of(row.name) in OF_REGIONS]
    times = {"head": looked_at, "predict": regions}
    each = [
        dataclasses.replace(row, multiply_adds=row.multiply_adds * times[part_of(row.name)])
        for row in repeated
    ]
    size = net.pool.size
    pooled = (features.output[0], size, size)
    words = f"RoI {net.pool.kind}, {size}x{size}"
    pool = Layer("pool", words, pooled, parameters=0, multiply_adds=0, input=features.output)
    return Described([*shared, pool, *each], anchors, regions)


def _own(row: Layer) -> str:
    return row.name.removeprefix("net.")


class _Parts(nn.Module):
    """Takes pictures alone, and looks at one region of whatever the values are."""

    def __init__(self, net: FasterRcnn) -> None:
        super().__init__()
        self.net = net

    def forward(self, images_NCHW: Tensor) -> Tensor:
        net = self.net
        features = net.trunk(images_NCHW)
        net.rpn(features)
        size = net.pool.size
        vectors = net.head(features.new_empty(len(features), features.shape[1], size, size))
        logits, _ = net.predict(torch.cat([vectors, vectors], dim=1) if net.context else vectors)
        return logits
