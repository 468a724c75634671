import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision.transforms import v2

from residua.errors import ConfigError
from residua.runtime import generator
from residua.train import mixing
from residua.train.loss import LossConfig


def batch(n=6, classes=5, size=8):
    images = torch.randn(n, 3, size, size, generator=generator(1))
    return images, torch.arange(n) % classes


def soft(mixed, classes):
    return mixed.share * F.one_hot(mixed.labels, classes) + (1 - mixed.share) * F.one_hot(
        mixed.others, classes
    )


@pytest.mark.parametrize("share", [0.0, 0.3, 0.8, 1.0])
def test_mixup_is_torchvisions(share):
    images, labels = batch()
    theirs = v2.MixUp(num_classes=5)
    params = {"lam": share, "labels": labels, "batch_size": 6}
    mixed = mixing.mixup(images, labels, share)
    torch.testing.assert_close(mixed.images, theirs.transform(images, params))
    torch.testing.assert_close(soft(mixed, 5), theirs.transform(labels, params))


@pytest.mark.parametrize("box", [(0, 0, 8, 8), (2, 1, 5, 7), (3, 3, 3, 5), (6, 0, 8, 4)])
def test_cutmix_is_torchvisions(box):
    images, labels = batch()
    left, top, right, bottom = box
    area = 1 - (right - left) * (bottom - top) / 64
    params = {"box": box, "lam_adjusted": area, "labels": labels, "batch_size": 6}
    theirs = v2.CutMix(num_classes=5)
    mixed = mixing.cutmix(images, labels, box)
    assert torch.equal(mixed.images, theirs.transform(images, params))
    torch.testing.assert_close(soft(mixed, 5), theirs.transform(labels, params))


@pytest.mark.parametrize("alpha", [0.2, 1.0, 3.0])
def test_shares_are_beta_distributed(alpha):
    random = generator(0)
    shares = np.array([mixing.draw_share(alpha, random) for _ in range(4000)])
    assert shares.mean() == pytest.approx(0.5, abs=0.03)
    assert shares.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)


def test_boxes_lie_in_the_picture_and_have_the_area_they_should():
    random = generator(0)
    for share in (0.0, 0.25, 0.75, 1.0):
        for _ in range(200):
            left, top, right, bottom = mixing.draw_box(share, 32, 16, random)
            assert 0 <= left <= right <= 16
            assert 0 <= top <= bottom <= 32
            assert (right - left) * (bottom - top) <= (1 - share) * 32 * 16 + 1e-6
            whole = left > 0 and right < 16 and top > 0 and bottom < 32
            if whole and share == 0.75:
                assert (right - left) * (bottom - top) == 0.25 * 32 * 16


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_the_loss_of_mixtures_is_cross_entropy_with_soft_labels(share, smoothing):
    images, labels = batch()
    logits = torch.randn(6, 5, generator=generator(2))
    mixed = mixing.mixup(images, labels, share)
    expected = F.cross_entropy(logits, soft(mixed, 5), label_smoothing=smoothing)
    found = mixing.mixed_cross_entropy(logits, mixed, smoothing=smoothing)
    torch.testing.assert_close(found, expected)


def test_the_error_of_mixtures_is_against_the_larger_share():
    images, labels = batch()
    assert torch.equal(mixing.mixup(images, labels, 0.6).dominant, labels)
    assert torch.equal(mixing.mixup(images, labels, 0.4).dominant, labels.roll(1))


class Flat(nn.Module):
    """Five logits from the pixels, and what it last looked at."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(192, 5)

    def forward(self, x):
        self.seen = x
        return self.linear(x.flatten(1))


def test_without_settings_the_loss_is_plain_cross_entropy():
    images, labels = batch()
    net, random = Flat(), generator(0)
    before = random.get_state()
    terms = LossConfig().terms(net, images, labels, random)
    logits = net.linear(images.flatten(1))
    assert torch.equal(terms["loss"], F.cross_entropy(logits, labels))
    assert terms["error"] == 100 * (logits.argmax(1) != labels).float().mean()
    assert torch.equal(random.get_state(), before)


def test_label_smoothing_is_torchs():
    images, labels = batch()
    net = Flat()
    found = LossConfig(label_smoothing=0.1).terms(net, images, labels, generator(0))["loss"]
    logits = net.linear(images.flatten(1))
    uniform = -logits.log_softmax(1).mean(1)
    nll = F.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(found, (0.9 * nll + 0.1 * uniform).mean())


def test_mixup_and_cutmix_take_turns_and_repeat_with_the_seed():
    images, labels = batch()
    config, net, kinds = LossConfig(mixup=0.2, cutmix=1.0), Flat(), []
    for seed in range(60):
        one = config.terms(net, images, labels, generator(seed))
        seen = net.seen
        two = config.terms(net, images, labels, generator(seed))
        assert torch.equal(one["loss"], two["loss"])
        pasted = (seen == images) | (seen == images.roll(1, 0))
        kinds.append(bool(pasted.all()))
    assert 15 < sum(kinds) < 45


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (LossConfig(label_smoothing=1.0), r"label_smoothing must be in \[0, 1\), got 1.0"),
        (LossConfig(mixup=-0.2), "mixup must be in"),
        (LossConfig(cutmix=float("nan")), "cutmix must be in"),
    ],
)
def test_numbers_without_sense_are_refused(config, message):
    with pytest.raises(ConfigError, match=message):
        config.check()
