import pytest
import torch
from torch import tensor

from residua.config import decode, encode
from residua.detect.anchors import AnchorsConfig, fit_anchors, grid
from residua.errors import DataError

# What generate_anchors.py of py-faster-rcnn prints for zero-based inclusive pixels.
PUBLISHED = [
    [-84, -40, 99, 55],
    [-176, -88, 191, 103],
    [-360, -184, 375, 199],
    [-56, -56, 71, 71],
    [-120, -120, 135, 135],
    [-248, -248, 263, 263],
    [-36, -80, 51, 95],
    [-80, -168, 95, 183],
    [-168, -344, 183, 359],
]


def test_the_nine_anchors_are_the_published_ones():
    cells = tensor(AnchorsConfig().cells(16))
    assert (cells - tensor([0, 0, 1, 1])).tolist() == PUBLISHED


def test_the_settings_round_trip():
    config = AnchorsConfig(sizes=(30, 60.5), ratios=(0.7,), convention="torchvision")
    assert decode(AnchorsConfig, encode(config)) == config


@pytest.mark.parametrize("convention", ["original", "torchvision"])
def test_anchors_are_repeated_row_by_row(convention):
    cells = AnchorsConfig(sizes=(32,), convention=convention).cells(8)
    anchors = grid(cells, 2, 3, 8, torch.zeros(1)).view(2, 3, len(cells), 4)
    assert torch.equal(anchors[0, 0], tensor(cells))
    assert torch.equal(anchors[1, 2] - anchors[0, 0], tensor([16.0, 8, 16, 8]).expand(3, 4))


def around(width, height):
    return [100.0, 100.0, 100.0 + width, 100.0 + height]


def test_anchors_fitted_to_boxes_are_their_sizes_and_ratios():
    sides = [
        (size / ratio**0.5, size * ratio**0.5) for size in (20, 50, 120) for ratio in (0.5, 1, 2)
    ]
    boxes = tensor([around(*pair) for pair in sides for _ in range(5)])
    found = fit_anchors(boxes)
    assert (found.sizes, found.ratios) == ((20.0, 50.0, 120.0), (0.5, 1.0, 2.0))
    assert fit_anchors(boxes.flip(0)) == found


def test_boxes_of_one_shape_give_one_anchor():
    found = fit_anchors(tensor([around(30, 30), around(30, 30)]))
    assert (found.sizes, found.ratios) == ((30.0,), (1.0,))


def test_boxes_without_area_are_refused():
    with pytest.raises(DataError, match="none of 1 has an area"):
        fit_anchors(tensor([around(30, 0)]))
