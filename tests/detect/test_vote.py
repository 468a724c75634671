import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from residua.detect.vote import vote

KEPT = torch.tensor([[0.0, 0, 10, 10]])
ONE = torch.tensor([1])


def voted(boxes, scores, labels=None, kept=KEPT, iou=0.5):
    labels = torch.ones(len(boxes), dtype=torch.int64) if labels is None else torch.tensor(labels)
    return vote(kept, ONE, torch.tensor(boxes), torch.tensor(scores), labels, iou=iou)


def test_the_kept_box_and_one_that_agrees_are_averaged_by_their_scores():
    # IoU 80 / 120 = 2/3; weights 0.9 and 0.6: 2 * 0.6 / 1.5 = 0.8 to the right.
    moved = voted([[0.0, 0, 10, 10], [2.0, 0, 12, 10]], [0.9, 0.6])
    torch.testing.assert_close(moved, torch.tensor([[0.8, 0, 10.8, 10]]))


@pytest.mark.parametrize(
    ("box", "has_a_vote"),
    [
        # 10 x 10 against 10 x 5: IoU exactly one half.
        ([0.0, 0, 10, 5], True),
        ([0.0, 0, 10, 4.9], False),
        # Moved by 4: 60 / 140.
        ([4.0, 0, 14, 10], False),
    ],
)
def test_a_vote_needs_half_of_the_union(box, has_a_vote):
    moved = voted([[0.0, 0, 10, 10], box], [0.5, 0.5])
    assert moved.equal(KEPT) != has_a_vote


def test_another_class_has_no_vote():
    assert voted([[0.0, 0, 10, 10], [2.0, 0, 12, 10]], [0.9, 0.6], labels=[1, 2]).equal(KEPT)


def test_a_box_without_area_stays_where_it_is():
    point = torch.tensor([[3.0, 3, 3, 8]])
    assert voted([[3.0, 3, 3, 8]], [0.9], kept=point).equal(point)


def test_no_box_was_kept():
    nothing = vote(KEPT[:0], ONE[:0], KEPT[:0], torch.zeros(0), ONE[:0])
    assert nothing.shape == (0, 4)


numbers = st.floats(0, 50, width=32)


@given(
    st.lists(st.tuples(numbers, numbers, st.floats(0.0625, 1, width=32)), min_size=1, max_size=8)
)
def test_a_voted_box_lies_within_the_boxes_that_voted(drawn):
    boxes = torch.tensor([[x, y, x + 20, y + 20] for x, y, _ in drawn])
    scores = torch.tensor([score for *_, score in drawn])
    labels = torch.ones(len(boxes), dtype=torch.int64)
    moved = vote(boxes[:1], labels[:1], boxes, scores, labels)
    assert (moved >= boxes.amin(dim=0) - 1e-4).all()
    assert (moved <= boxes.amax(dim=0) + 1e-4).all()
