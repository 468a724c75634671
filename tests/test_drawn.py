"""Boxes with words in the pixels of a picture."""

import numpy as np
import pytest
import torch
from PIL import ImageColor

from residua.plots import Named, drawn
from residua.plots.drawn import COLORS

GREY = torch.full((3, 300, 600), 90, dtype=torch.uint8)
LONG = "pneumonoultramicroscopicsilicovolcanoconiosis of a truck with a trailer behind it 0.87"


def pixels(image, number):
    """Where the pixels of a colour are."""
    color = np.array(ImageColor.getrgb(COLORS[number]))
    return (np.asarray(image) == color).all(axis=2)


def rows_and_columns(mask):
    rows, columns = np.nonzero(mask)
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_a_box_is_drawn_at_its_edges_and_its_words_above_it():
    image = drawn(GREY, [Named((100, 120, 300, 200), "dog 0.91", 0)])
    assert image.size == (600, 300)
    mine = pixels(image, 0)
    top, bottom, left, right = rows_and_columns(mine)
    assert (bottom, left, right) == (199, 100, 299)
    assert 120 - 30 < top < 120 - 12
    assert mine[199, 100:300].all()
    assert not mine[130:190, 110:290].any()
    words = np.asarray(image)[top:118, 100:180]
    assert (words.max(axis=2) < 60).any()
    assert (np.asarray(image)[250:] == 90).all()


@pytest.mark.parametrize(
    ("size", "shown"), [((40, 30), (480, 360)), ((479, 50), (958, 100)), ((600, 300), (600, 300))]
)
def test_a_small_picture_is_enlarged_by_a_whole_factor(size, shown):
    picture = torch.zeros(3, size[1], size[0], dtype=torch.uint8)
    assert drawn(picture, [Named((5, 5, 20, 20), "cat 0.50", 1)]).size == shown


@pytest.mark.parametrize("side", [40, 4000])
def test_words_keep_their_share_of_the_picture(side):
    picture = torch.zeros(3, side, side, dtype=torch.uint8)
    image = drawn(picture, [Named((0.1 * side, 0.5 * side, 0.2 * side, 0.9 * side), "cat 0.50", 1)])
    above = pixels(image, 1)[: round(0.495 * image.height)]
    high = above.any(axis=1).sum()
    assert 0.02 < high / image.height < 0.04
    assert high >= 10


def test_long_words_stay_inside_and_end_in_their_score():
    image = drawn(GREY[:, :, :200], [Named((150, 100, 199, 150), LONG, 2)])
    top, _, left, right = rows_and_columns(pixels(image, 2))
    assert left == 0
    assert right <= image.width - 1
    assert top > 0


def test_words_give_way_to_those_of_surer_boxes():
    boxes = [Named((100, 100, 300, 200), "cat 0.9", 0), Named((102, 102, 302, 202), "dog 0.8", 1)]
    image = drawn(GREY, boxes)
    first, second = (pixels(image, number) for number in (0, 1))
    assert first[78:98, 105:150].mean() > 0.5
    assert second[204:220, 105:150].mean() > 0.5


@pytest.mark.parametrize(
    "box", [(-50, -50, 900, 900), (590, 290, 590, 290), (700, 400, 800, 500), (0, 0, 1, 1)]
)
def test_boxes_at_and_beyond_the_border_are_drawn_inside(box):
    image = drawn(GREY, [Named(box, "x 0.50", 3)])
    assert image.size == (600, 300)
    assert pixels(image, 3).any()


def test_without_boxes_the_picture_is_as_it_was():
    assert torch.from_numpy(np.array(drawn(GREY, []))).permute(2, 0, 1).equal(GREY)
