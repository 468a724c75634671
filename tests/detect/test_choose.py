import pytest
import torch

from residua.detect.choose import choose, in_own_pixels
from residua.detect.faster_rcnn import OutputConfig
from residua.detect.found import Found
from residua.detect.predictions import Predictions

# Two pictures; the second is what counts. Boxes 10 x 10 that move right by 0, 2 (IoU 2/3 with the
# first), 5 (IoU 1/3 with the first, 7/13 with the second) and 50 pixels.
STEPS = torch.tensor([0.0, 2, 5, 50])


def predictions(probabilities, valid=None):
    boxes = torch.stack([STEPS, STEPS * 0, STEPS + 10, STEPS * 0 + 10], dim=1)
    boxes = boxes[None, :, None].expand(2, -1, 2, -1)
    scores = torch.zeros(2, 4, 2)
    scores[1] = torch.tensor(probabilities)
    valid = torch.ones(2, 4, dtype=torch.bool) if valid is None else valid
    return Predictions(scores, boxes, valid)


def chosen(probabilities, valid=None, vote_iou=None, **options):
    output = OutputConfig(**options)
    return choose(predictions(probabilities, valid), 1, output, longest=60, vote_iou=vote_iou)


def test_of_boxes_that_overlap_the_most_probable_is_left():
    found = chosen([[0.9, 0], [0.8, 0], [0.7, 0], [0.6, 0]])
    assert found.boxes_D4[:, 0].tolist() == [0, 50]
    assert found.labels_D.tolist() == [1, 1]
    torch.testing.assert_close(found.scores_D, torch.tensor([0.9, 0.6]))


@pytest.mark.parametrize(("nms", "left"), [(0.3, [0, 50]), (0.5, [0, 5, 50]), (0.7, [0, 2, 5, 50])])
def test_how_much_overlap_is_left(nms, left):
    found = chosen([[0.9, 0], [0.8, 0], [0.7, 0], [0.6, 0]], nms=nms)
    assert found.boxes_D4[:, 0].tolist() == left


def test_classes_do_not_suppress_each_other():
    found = chosen([[0.6, 0], [0, 0.9], [0, 0], [0, 0]])
    assert found.boxes_D4[:, 0].tolist() == [2, 0]
    assert found.labels_D.tolist() == [2, 1]


def test_what_is_improbable_or_no_region_is_no_detection():
    valid = torch.tensor([[True] * 4, [False, True, True, True]])
    found = chosen([[0.9, 0], [0.0499, 0.04], [0, 0], [0.06, 0]], valid)
    assert found.boxes_D4[:, 0].tolist() == [50]


def test_the_most_probable_are_the_ones_that_are_counted():
    found = chosen([[0.2, 0.3], [0, 0], [0, 0], [0.6, 0.4]], per_picture=3)
    torch.testing.assert_close(found.scores_D, torch.tensor([0.6, 0.4, 0.3]))


def test_what_was_suppressed_has_a_vote():
    found = chosen([[0.9, 0], [0.6, 0], [0.7, 0], [0.6, 0]], vote_iou=0.5)
    # 2 * 0.6 / 1.5 = 0.8; the third has IoU 1/3 only, and no vote on the first.
    torch.testing.assert_close(found.boxes_D4[:, 0], torch.tensor([0.8, 50.0]))
    torch.testing.assert_close(found.scores_D, torch.tensor([0.9, 0.6]))


def test_nothing_was_found():
    found = chosen([[0.0, 0]] * 4, vote_iou=0.5)
    assert found.boxes_D4.shape == (0, 4)


def test_detections_go_back_to_the_pixels_of_the_picture_and_stay_inside():
    found = Found(torch.tensor([[3.0, 4, 30, 40]]), torch.tensor([0.5]), torch.tensor([1]))
    own = in_own_pixels(found, (2.0, 3.0), torch.tensor([18, 100]))
    assert own.boxes_D4.tolist() == [[1, 2, 10, 18]]
