import numpy as np
import pytest
import torch
import torch.nn.functional as F

from residua.data.clutter import VISIBLE, distractors, enlarge, extent, grounds, lay


@pytest.fixture
def random():
    return torch.Generator().manual_seed(0)


def test_enlarging_is_linear_between_the_middles_of_cells():
    patterns = np.array([[[0, 255], [255, 0]]], dtype=np.uint8)
    drawn = enlarge(patterns, np.array([[4, 2]]), (5, 3))
    # Four pixels over two cells: a quarter before the first middle, then 1/4 and 3/4 of the way.
    assert drawn[0].tolist() == [[0, 255, 0], [63, 191, 0], [191, 63, 0], [255, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("size", [(20, 15), (64, 48), (33, 64), (8, 8), (5, 3)])
def test_enlarging_is_what_pytorch_does(size, random):
    patterns = torch.randint(0, 256, (3, 8, 8), dtype=torch.uint8, generator=random)
    drawn = enlarge(patterns.numpy(), np.full((3, 2), size), (64, 64))
    expected = F.interpolate(patterns[:, None].float(), size, mode="bilinear")[:, 0]
    difference = torch.tensor(drawn[:, : size[0], : size[1]]).float() - expected
    # Fractions are cut off, and places are whole 256ths of a cell.
    assert difference.abs().max() <= 3
    assert not drawn[:, size[0] :].any()
    assert not drawn[:, :, size[1] :].any()


def test_the_extent_is_the_box_of_what_is_visible():
    drawn = np.zeros((2, 9, 7), dtype=np.uint8)
    drawn[0, 2:5, 3:6] = VISIBLE
    drawn[0, 8, 0] = VISIBLE - 1
    assert extent(drawn).tolist() == [[3, 2, 6, 5], [0, 0, 0, 0]]


def test_ink_is_laid_inside_the_ground_and_leaves_the_rest_alone():
    ground = np.full((3, 6, 8), 10, dtype=np.int16)
    ink = np.full((4, 4), 255, dtype=np.uint8)
    colour = np.array([200, 100, 10], dtype=np.int16)
    lay(ground, ink, (-2, 4), colour)
    assert (ground[0, 4:, :2] >= 199).all()
    assert (ground[2] == 10).all()
    ground[:, 4:, :2] = 10
    assert (ground == 10).all()
    lay(ground, ink, (20, 20), colour)
    assert (ground == 10).all()


def test_half_the_ink_is_half_the_way():
    ground = np.full((3, 1, 1), 50, dtype=np.int16)
    lay(ground, np.full((1, 1), 128, dtype=np.uint8), (0, 0), np.array([250, 0, 50], np.int16))
    assert ground.flatten().tolist() == [150, 25, 50]


def test_distractors_are_no_whole_digits(random):
    digits = np.full((5, 8, 8), 255, dtype=np.uint8)
    found = distractors(digits, 300, random)
    assert found.shape == (300, 8, 8)
    share = (found > 0).mean(axis=(1, 2))
    # A quarter of a full pattern is 16 cells of 64; strokes and specks leave most empty too.
    assert share.max() < 0.7
    assert (share == 0.25).sum() > 60


def test_grounds_are_dim_and_differ(random):
    found = grounds(20, (32, 48), random)
    assert found.shape == (20, 3, 32, 48)
    assert found.min() >= 0
    assert found.max() < 150
    assert len({part.tobytes() for part in found}) == 20
