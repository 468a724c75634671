"""How far two answers are apart, by hand."""

import pytest
import torch

from residua.deploy.convert import parity, parity_of_detections
from residua.detect.found import Found
from residua.errors import RunError


def test_by_hand_difference_and_agreement():
    expected = torch.tensor([[4.0, 0.0], [0.0, -2.0], [1.0, 1.5]])
    got = torch.tensor([[4.0, 0.25], [0.0, -2.0], [1.5, 1.0]])
    found = parity.compare(expected, got)
    assert found == parity.Parity(
        count=3, difference=0.5, largest=4.0, agreement=pytest.approx(200 / 3)
    )
    assert found.relative == 0.125
    found.check(0.125)
    with pytest.raises(RunError, match=r"by up to 0\.5, 0\.12 of the largest, and 0\.1 is allowed"):
        found.check(0.1)


def test_small_logits_are_measured_against_one():
    found = parity.compare(torch.tensor([[0.01, 0.0]]), torch.tensor([[0.02, 0.0]]))
    assert found.relative == pytest.approx(0.01)


def test_what_is_no_number_is_a_difference():
    with pytest.raises(RunError, match="differ by up to nan"):
        parity.compare(torch.zeros(1, 2), torch.tensor([[0.0, float("nan")]])).check(1.0)


def test_logits_of_another_shape_are_refused():
    with pytest.raises(RunError, match=r"shape \(2, 3\) where \(2, 4\)"):
        parity.compare(torch.zeros(2, 4), torch.zeros(2, 3))


def test_pictures_come_in_batches_of_several_sizes():
    sizes = []

    def count(x):
        sizes.append(len(x))
        return x

    assert torch.equal(parity.answers(count, torch.arange(30)), torch.arange(30))
    assert sizes == [1, 2, 5, 16, 6]


def of(*things):
    """Detections: (label, score, box) each."""
    labels, scores, boxes = zip(*things, strict=True)
    return Found(torch.tensor(boxes), torch.tensor(scores), torch.tensor(labels))


BOX, NEAR, FAR = (0.0, 0.0, 10.0, 10.0), (0.0, 0.0, 10.0, 10.5), (20.0, 0.0, 30.0, 10.0)
NOTHING = Found(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))


def test_by_hand_the_same_detections_are_found_whatever_their_order():
    net = of((1, 0.75, BOX), (2, 0.5, FAR), (1, 0.25, FAR))
    file = of((2, 0.5, FAR), (1, 0.5, NEAR), (3, 0.25, FAR))
    found = parity_of_detections.compare([(net, file), (NOTHING, NOTHING)])
    assert found == parity_of_detections.ParityOfDetections(
        count=2,
        detections=3,
        agreement=pytest.approx(100 * 2 / 3),
        difference=0.25,
        pixels=0.5,
    )
    with pytest.raises(RunError, match=r"of 3 detections on 2 pictures 66\.7 % are the same"):
        found.check(1.0)


def test_one_detection_is_the_same_as_one_at_most():
    net, file = of((1, 0.75, BOX), (1, 0.5, BOX)), of((1, 0.75, BOX))
    found = parity_of_detections.compare([(net, file)])
    assert found.agreement == pytest.approx(100 * 2 / 3)
    assert found.difference == 0


def test_scores_that_differ_are_refused():
    found = parity_of_detections.compare([(of((1, 0.75, BOX)), of((1, 0.5, BOX)))])
    with pytest.raises(RunError, match=r"scores differ by up to 0\.25, and 0\.001 is allowed"):
        found.check(1e-3)


def test_nothing_found_by_both_is_the_same():
    parity_of_detections.compare([(NOTHING, NOTHING)]).check(1e-3)
