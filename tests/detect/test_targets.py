import torch
from torch import tensor

from residua.data.objects import Objects
from residua.detect.targets import anchor_goal, region_goal, sample

ONE = Objects.of([[0, 0, 10, 10]], [2])


def of_width(*widths):
    """Return boxes whose IoU with the 10 x 10 object is width / 10."""
    return tensor([[0.0, 0, width, 10] for width in widths])


def labels(anchors, truth, usable=None):
    goal = anchor_goal(anchors, truth, positive=0.7, negative=0.3, usable_A=usable)
    return goal.labels_A.tolist()


def test_anchors_are_labelled_by_their_overlap():
    assert labels(of_width(7, 6.9, 3, 2.9), ONE) == [1, -1, -1, 0]


def test_the_best_anchor_of_an_object_is_positive_however_little_it_overlaps():
    assert labels(of_width(2, 1, 2), ONE) == [1, 0, 1]
    # Only among those that are learned from.
    assert labels(of_width(2, 1, 2), ONE, tensor([False, True, False])) == [-1, 1, -1]


def test_an_object_that_no_anchor_meets_makes_none_positive():
    assert labels(of_width(2, 5) + 100, ONE) == [0, 0]


def test_a_picture_without_objects_is_background():
    assert labels(of_width(2, 5), Objects.none()) == [0, 0]


def test_the_box_of_an_anchor_is_the_nearest():
    truth = Objects.of([[0, 0, 10, 10], [0, 0, 4, 10]], [1, 1])
    goal = anchor_goal(of_width(9, 5), truth, positive=0.7, negative=0.3)
    assert torch.equal(goal.boxes_A4, truth.boxes_R4)


def test_difficult_objects_are_background_and_crowds_are_left_out():
    hard = Objects.of([[0, 0, 10, 10]], [1], difficult_R=[True])
    assert labels(of_width(9), hard) == [0]
    crowd = Objects.of([[0, 0, 10, 10]], [1], crowd_R=[True])
    # The second lies in the crowd by 10 of its 15 pixels, which is less than 0.7.
    anchors = of_width(9, 15)
    assert labels(anchors, crowd) == [-1, 0]
    goal = region_goal(anchors, crowd, foreground=0.5, background=(0.0, 0.5))
    assert goal.labels_A.tolist() == [-1, 0]


def test_an_object_in_a_crowd_is_one():
    both = Objects.of([[0, 0, 10, 10], [0, 0, 50, 50]], [3, 1], crowd_R=[False, True])
    assert labels(of_width(10), both) == [1]
    goal = region_goal(of_width(10), both, foreground=0.5, background=(0.0, 0.5))
    assert goal.labels_A.tolist() == [3]


def test_regions_have_the_class_of_their_object():
    goal = region_goal(of_width(5, 4.9, 1, 0.9), ONE, foreground=0.5, background=(0.1, 0.5))
    assert goal.labels_A.tolist() == [2, 0, 0, -1]
    assert torch.equal(goal.boxes_A4, ONE.boxes_R4.expand(4, 4))


def draw(labels, count, share, seed=0):
    return sample(labels, count, share, torch.Generator().manual_seed(seed))


def test_samples_have_at_most_their_share_of_objects():
    labels = tensor([0] * 50 + [1] * 50 + [-1] * 50)
    chosen = draw(labels, 40, 0.25)
    assert len(set(chosen.tolist())) == 40
    assert labels[chosen].tolist() == [1] * 10 + [0] * 30
    assert torch.equal(chosen, draw(labels, 40, 0.25))
    assert not torch.equal(chosen, draw(labels, 40, 0.25, seed=1))


def test_background_takes_the_places_of_missing_objects():
    labels = tensor([0] * 50 + [3])
    assert labels[draw(labels, 40, 0.5)].tolist() == [3] + [0] * 39
    assert len(draw(tensor([-1, 1, 1, 0]), 40, 0.5)) == 3
