import dataclasses

import pytest
import safetensors.torch
import torch

from residua.errors import ConfigError, DataError
from residua.evaluate import Scores, kept

CLASSES = ("cat", "dog", "owl")


def told(seed=0, count=6, **changes):
    random = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, 3, generator=random)
    made = Scores(logits, torch.arange(count) % 3, "one view", CLASSES, "abc")
    return dataclasses.replace(made, **changes)


def test_scores_come_back_as_they_were(tmp_path):
    path = tmp_path / "new" / "scores.safetensors"
    kept.save(told(), path)
    back = kept.load(path)
    assert torch.equal(back.logits, told().logits)
    assert torch.equal(back.labels, told().labels)
    assert (back.protocol, back.classes, back.fingerprint) == ("one view", CLASSES, "abc")


def test_files_that_hold_no_scores_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"end the name in \.safetensors"):
        kept.save(told(), tmp_path / "scores.npz")
    with pytest.raises(DataError, match="is not there"):
        kept.load(tmp_path / "missing.safetensors")
    weights = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({"w": torch.zeros(1)}, weights)
    with pytest.raises(DataError, match="does not hold scores"):
        kept.load(weights)
    weights.write_bytes(b"rubbish" * 9)
    with pytest.raises(DataError, match="is damaged"):
        kept.load(weights)


def test_an_ensemble_is_the_mean_of_the_probabilities():
    parts = [told(seed) for seed in range(3)]
    together = kept.ensemble(parts)
    expected = torch.stack([part.probabilities for part in parts]).mean(dim=0)
    assert torch.allclose(together.probabilities, expected, atol=1e-6)
    assert together.protocol == "ensemble of 3, mean of the probabilities; each by one view"
    assert together.fingerprint == "abc"


def test_an_ensemble_of_logits_is_another_one():
    parts = [told(seed) for seed in range(3)]
    logits = kept.ensemble(parts, rule="logits")
    assert torch.allclose(logits.logits, torch.stack([p.logits for p in parts]).mean(dim=0))
    assert "mean of the logits" in logits.protocol
    assert not torch.allclose(logits.probabilities, kept.ensemble(parts).probabilities, atol=1e-3)


def test_an_ensemble_of_equal_parts_and_of_one_is_that_part():
    alone = told()
    assert kept.ensemble([alone]) is alone
    same = kept.ensemble([told()] * 4)
    assert torch.allclose(same.probabilities, told().probabilities, atol=1e-6)


def test_different_protocols_are_all_named():
    together = kept.ensemble([told(), told(1, protocol="10-crop")])
    assert together.protocol.endswith("by (one view) and by (10-crop)")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (told(1, fingerprint="xyz"), "different pictures .fingerprints abc and xyz"),
        (told(1, labels=torch.zeros(6, dtype=torch.int64)), "different labels"),
        (told(1, classes=("cat", "owl", "dog")), r"different classes .3: cat, dog, owl and 3: cat"),
        (told(1, logits=torch.zeros(6, 4)), "different classes"),
    ],
)
def test_what_was_said_of_other_pictures_is_refused(other, message):
    with pytest.raises(DataError, match=f"scores 1 and 3 of the ensemble are of {message}"):
        kept.ensemble([told(), told(2), other])


def test_an_ensemble_of_none_is_refused():
    with pytest.raises(ConfigError, match="at least one"):
        kept.ensemble([])
