"""RoIAlign by products is torchvision's RoIAlign, forward and backward."""

import pytest
import torch
from torch import tensor
from torchvision.ops import roi_align

from residua.detect.align import align, fits

RULE = {"size": 3, "scale": 0.25, "sampling": 2}
ROIS = tensor(
    [
        [1.0, 3, 5, 30, 21],
        [0, 0, 0, 60, 44],
        [1, 10, 10, 11, 10.5],
        [0, -30, -9, 20, 90],
        [1, 50, 40, 90, 70],
    ]
)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_values_and_gradients_are_those_of_torchvision(layout):
    features = torch.randn(2, 5, 11, 15).to(memory_format=layout)
    mine, other = (features.clone().requires_grad_() for _ in range(2))
    found = align(mine, ROIS, **RULE)
    expected = roi_align(other, ROIS, 3, 0.25, 2)
    assert torch.allclose(found, expected, atol=1e-5)
    weights = torch.randn_like(expected)
    (found * weights).sum().backward()
    (expected * weights).sum().backward()
    assert torch.allclose(mine.grad, other.grad, atol=1e-5)


def test_more_regions_than_at_a_time():
    features = torch.randn(1, 2, 11, 15)
    many = ROIS[1].repeat(70, 1) + torch.arange(70.0)[:, None] * tensor([0, 0.5, 0.1, 0, 0])
    assert torch.allclose(
        align(features, many, **RULE), roi_align(features, many, 3, 0.25, 2), atol=1e-5
    )


def test_no_region_gives_nothing():
    assert align(torch.randn(2, 5, 11, 15), ROIS[:0], **RULE).shape == (0, 5, 3, 3)


def test_large_features_and_adaptive_points_are_left_to_torchvision():
    assert fits(torch.zeros(1, 1, 40, 60), 14, 2)
    assert not fits(torch.zeros(1, 1, 40, 60), 14, 0)
    assert not fits(torch.zeros(1, 1, 100, 100), 14, 2)
