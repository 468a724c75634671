import pytest
import torch

from residua.detect.scales import PAPER_SCALES, Level, describe_at_two, lower_of_pair

# Of a picture of 600 x 600 pixels, in which proposals are made as it is.
RATIOS = [side / 600 for side in PAPER_SCALES]


def level(ratio, seen=None):
    """A net whose vector of a region is its corners, and their negation, as it sees them."""

    def describe(index, rois):
        if seen is not None:
            seen.append((index, rois))
        return torch.cat([rois, -rois], dim=1)

    return Level(describe, (ratio, ratio))


PYRAMID = [level(ratio) for ratio in RATIOS]


def square(side):
    return [10.0, 20.0, 10.0 + side, 20.0 + side]


@pytest.mark.parametrize(
    ("side", "pair"),
    [
        # At 600 it has 224 x 224 pixels; 400 is off by 5/9 of that, 800 by 7/9.
        (224, (400, 600)),
        # Too small even at 1000, and too large even at 200.
        (100, (800, 1000)),
        (10, (800, 1000)),
        (600, (200, 400)),
        # 400: 160 x 160 = 25600, off by 24576; 600: 240 x 240, by 7424; 800: 320 x 320, by 52224.
        (240, (400, 600)),
        # 400: 18678, off by 31498; 600: 42025, off by 8151; 800: 74711, off by 24535.
        (205, (600, 800)),
    ],
)
def test_the_two_scales_are_those_nearest_to_224_pixels_squared(side, pair):
    lower = int(lower_of_pair(torch.tensor([[square(side)]]), PYRAMID))
    assert (PAPER_SCALES[lower], PAPER_SCALES[lower + 1]) == pair


def test_it_is_the_area_that_counts():
    flat = torch.tensor([[[0.0, 0, 448, 112]]])
    assert int(lower_of_pair(flat, PYRAMID)) == PAPER_SCALES.index(400)


def test_the_pair_has_the_nearest_scale_and_its_nearer_neighbour():
    sides = torch.linspace(5, 900, 400)
    rois = torch.stack([torch.zeros(400), torch.zeros(400), sides, sides], dim=1)[None]
    lower = lower_of_pair(rois, PYRAMID)[0]
    distances = ((sides[:, None] * torch.tensor(RATIOS)) ** 2 - 224**2).abs()
    two = distances.topk(2, largest=False).indices.sort(dim=1).values
    assert two.equal(torch.stack([lower, lower + 1], dim=1))


def test_each_number_is_the_larger_of_the_two_scales():
    rois = torch.tensor([[square(224)]])
    seen = [[] for _ in PAPER_SCALES]
    levels = [level(side / 600, seen=calls) for side, calls in zip(PAPER_SCALES, seen, strict=True)]
    vector = describe_at_two(levels, rois)
    # Corners are larger at 600, their negations at 400.
    corners = torch.tensor(square(224))
    torch.testing.assert_close(vector[0, 0], torch.cat([corners, -corners * 2 / 3]))
    assert [len(calls) for calls in seen] == [0, 1, 1, 0, 0]
    torch.testing.assert_close(seen[1][0][1], corners[None] * 2 / 3)


def test_regions_of_one_picture_go_to_different_scales():
    rois = torch.tensor([[square(100), square(600), square(224)]])
    together = describe_at_two(PYRAMID, rois)
    alone = [describe_at_two(PYRAMID, rois[:, i : i + 1]) for i in range(3)]
    assert together.equal(torch.cat(alone, dim=1))


def test_one_scale_listed_twice_is_that_scale():
    rois = torch.tensor([[square(30), square(300)]])
    once, twice = describe_at_two([level(1.0)], rois), describe_at_two([level(1.0)] * 2, rois)
    assert once.equal(twice)
    assert once[0, 1, :4].tolist() == square(300)


def test_pictures_of_a_batch_are_told_apart():
    rois = torch.tensor([[square(224)], [square(100)]])
    levels = [Level(lambda index, regions: regions * 10**index, (r, r)) for r in RATIOS]
    vectors = describe_at_two(levels, rois)
    torch.testing.assert_close(vectors[0, 0], torch.tensor(square(224)))
    torch.testing.assert_close(vectors[1, 0], torch.tensor(square(100)) * 10 * 1000 / 600)


def test_a_picture_may_shrink_more_down_than_across():
    # 448 x 112 pixels of which the rows are halved: 25088, half of 224 x 224.
    levels = [Level(lambda index, regions: regions, pair) for pair in ((0.5, 1.0), (1.0, 1.0))]
    wide = torch.tensor([[[100.0, 10, 548, 122]]])
    assert describe_at_two(levels[:1], wide).tolist() == [[[100, 5, 548, 61]]]
    assert describe_at_two(levels, wide).tolist() == [[[100, 10, 548, 122]]]


def test_no_region_at_all():
    assert describe_at_two([level(1.0), level(2.0)], torch.zeros(1, 0, 4)).shape == (1, 0, 8)
