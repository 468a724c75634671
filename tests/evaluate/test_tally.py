import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from residua.evaluate import Scores

LOGITS = torch.tensor([[4.0, 0, 0], [0, 1.0, 0], [0, 0, 9.0], [3.0, 0, 0]])
LABELS = torch.tensor([0, 1, 0, 2])


@st.composite
def found(draw):
    """Scores of up to 40 pictures, ties among them."""
    count, classes = draw(st.integers(1, 40)), draw(st.integers(1, 9))
    random = torch.Generator().manual_seed(draw(st.integers(0, 10_000)))
    logits = torch.randint(-4, 5, (count, classes), generator=random) / draw(st.integers(1, 3))
    return Scores(logits, torch.randint(0, classes, (count,), generator=random))


def test_errors_and_confusion_are_those_of_a_hand():
    told = Scores(LOGITS, LABELS)
    assert told.top1_error == 50.0
    assert told.confusion().tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert told.mistakes().tolist() == [2, 3]
    assert told.loss == pytest.approx(nn.CrossEntropyLoss()(LOGITS, LABELS).item())


def test_no_mistakes_are_none():
    assert Scores(LOGITS, torch.tensor([0, 1, 2, 0])).mistakes().tolist() == []


@given(told=found(), k=st.integers(1, 9))
def test_top_k_errors_are_those_of_a_sorted_list(told, k):
    wrong = 0
    for logits, label in zip(told.logits.tolist(), told.labels.tolist(), strict=True):
        ranked = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
        wrong += label not in ranked[:k]
    assert told.top_error(k) == pytest.approx(100 * wrong / len(told.labels))
    assert told.top_error(1) == pytest.approx(told.top1_error)


def test_the_five_best_of_five_classes_are_no_number():
    assert Scores(torch.zeros(2, 5), torch.tensor([0, 4])).top5_error is None
    assert Scores(torch.zeros(2, 6), torch.tensor([0, 5])).top5_error == 50.0


def test_what_is_not_a_number_is_wrong():
    logits = torch.tensor([[math.nan] * 6, [0, math.nan, 1, 2, 3, 4]])
    told = Scores(logits, torch.tensor([1, 5]))
    assert told.top_error(1) == 100.0
    assert told.top_error(2) == 50.0


@given(told=found(), bins=st.integers(1, 20))
def test_calibration_is_that_of_a_loop(told, bins):
    members = [[] for _ in range(bins)]
    probabilities = told.logits.softmax(dim=1).tolist()
    for row, label in zip(probabilities, told.labels.tolist(), strict=True):
        confidence = max(row)
        right = row.index(confidence) == label
        inside = [b for b in range(bins) if b / bins < confidence <= (b + 1) / bins]
        members[inside[0] if inside else bins - 1].append((confidence, right))
    expected = sum(
        abs(sum(right for _, right in each) - sum(confidence for confidence, _ in each))
        for each in members
    )
    mine = sum(each.count * abs(each.accuracy - each.confidence) for each in told.calibration(bins))
    # A confidence on the edge of two bins may fall in either by rounding.
    on_edge = any(
        abs(max(row) * bins - round(max(row) * bins)) < 1e-5 and max(row) < 1
        for row in probabilities
    )
    assert sum(each.count for each in told.calibration(bins)) == len(told.labels)
    assert on_edge or mine == pytest.approx(expected, abs=1e-4)


def test_the_calibration_error_is_that_of_torchmetrics():
    calibration = pytest.importorskip("torchmetrics.functional.classification")
    logits = torch.randn(500, 10) * 2
    labels = torch.randint(0, 10, (500,))
    theirs = calibration.multiclass_calibration_error(
        logits.softmax(dim=1), labels, num_classes=10, n_bins=15
    )
    assert Scores(logits, labels).calibration_error == pytest.approx(100 * theirs.item(), abs=1e-3)


def test_the_calibration_error_of_a_hand():
    """Confidence 0.8 and 0.6, each right in half of the cases: off by 0.3 and by 0.1."""
    logits = torch.tensor([[0.8, 0.2], [0.8, 0.2], [0.6, 0.4], [0.6, 0.4]]).log()
    told = Scores(logits, torch.tensor([0, 1, 0, 1]))
    assert told.calibration_error == pytest.approx(20.0, abs=1e-4)
    assert [each.count for each in told.calibration()] == [2, 2]


def test_certainty_that_is_right_is_calibrated_and_that_is_wrong_is_not():
    sure = torch.tensor([[100.0, 0.0]])
    assert Scores(sure, torch.tensor([0])).calibration_error == 0.0
    assert Scores(sure, torch.tensor([1])).calibration_error == 100.0


@given(told=found())
def test_the_classes_add_up_to_the_whole(told):
    rows = told.by_class()
    assert sum(row.count for row in rows) == len(told.labels)
    wrong = sum(row.wrong for row in rows)
    assert 100 * wrong / len(told.labels) == pytest.approx(told.top1_error)
    assert all((row.mistaken_for == "") == (row.wrong == 0) for row in rows)


def test_a_class_is_named_with_what_it_was_most_often_taken_for():
    predicted = torch.tensor([0, 2, 2, 1, 1])
    told = Scores(
        torch.eye(3)[predicted], torch.tensor([0, 0, 0, 0, 1]), classes=("cat", "dog", "owl")
    )
    cat, dog = told.by_class()
    assert (cat.name, cat.count, cat.wrong, cat.error, cat.mistaken_for) == (
        "cat",
        4,
        3,
        75.0,
        "owl",
    )
    assert (dog.name, dog.wrong, dog.error, dog.mistaken_for) == ("dog", 0, 0.0, "")
