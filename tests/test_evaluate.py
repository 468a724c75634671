import pytest
import torch
from torch import nn

from residua.data.loading import ImageSet
from residua.data.normalize import Normalize
from residua.evaluate import Scores, scores

LOGITS = torch.tensor([[4.0, 0, 0], [0, 1.0, 0], [0, 0, 9.0], [3.0, 0, 0]])
LABELS = torch.tensor([0, 1, 0, 2])


def test_errors_and_confusion_are_those_of_a_hand():
    found = Scores(LOGITS, LABELS)
    assert found.top1_error == 50.0
    assert found.confusion().tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 0]]
    assert found.mistakes().tolist() == [2, 3]
    assert found.loss == pytest.approx(nn.CrossEntropyLoss()(LOGITS, LABELS).item())


def test_no_mistakes_are_none():
    assert Scores(LOGITS, torch.tensor([0, 1, 2, 0])).mistakes().tolist() == []


def test_scoring_uses_eval_mode_and_restores_the_mode():
    net = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(4, 3))
    images = ImageSet(
        torch.randint(0, 256, (7, 1, 2, 2), dtype=torch.uint8),
        torch.zeros(7, dtype=torch.int64),
        ("a", "b", "c"),
    )
    before = net[0].running_mean.clone()
    net.train()
    whole = scores(net, images, Normalize.of((0.5,), (0.5,)))
    parts = scores(net, images, Normalize.of((0.5,), (0.5,)), batch_size=3)
    assert net.training
    assert torch.equal(net[0].running_mean, before)
    assert torch.allclose(whole.logits, parts.logits, atol=1e-6)
    assert whole.logits.shape == (7, 3)
