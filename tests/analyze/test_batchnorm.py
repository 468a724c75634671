import copy
import dataclasses
import math

import pytest
import torch
from torch import nn

from residua.analyze.batchnorm import (
    Change,
    Examination,
    Examining,
    InBatches,
    Measured,
    examine,
)
from residua.analyze.norm_advice import advise, clear, smallest_sound_batch
from residua.analyze.norm_drift import drifts
from residua.errors import ConfigError
from residua.nn.frozen import freeze
from residua.nn.norms import average_statistics

PICTURES = 64


def net_of(seed=0):
    """A net that tells apart which half of the picture is brighter, without being trained."""
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.Flatten(),
        nn.Linear(64, 2),
    ).eval()


def pictures():
    return torch.randn(PICTURES, 1, 4, 4, generator=torch.Generator().manual_seed(5))


def prepared():
    """A net with exact statistics, and a measure that says how often it differs from that net."""
    net, x_N1HW = net_of(), pictures()
    average_statistics(net, [x_N1HW])
    twin = copy.deepcopy(net)
    with torch.no_grad():
        labels_N = twin(x_N1HW).argmax(dim=1)

    def measure(candidate, size, shuffle):
        order = torch.randperm(PICTURES, generator=torch.Generator().manual_seed(shuffle))
        order = order if size else torch.arange(PICTURES)
        with torch.no_grad():
            parts = [candidate(part) for part in x_N1HW[order].split(size or PICTURES)]
        wrong_N = torch.empty(PICTURES, dtype=torch.bool)
        wrong_N[order] = torch.cat(parts).argmax(dim=1) != labels_N[order]
        return Measured(loss=0.0, wrong_N=wrong_N)

    return net, twin, measure


def found_in(net, twin, measure, sizes=(2, 8, PICTURES), **options):
    how = Examining(sizes=sizes, **options)
    return examine(net, twin, pictures()[:4], measure=measure, how=how)


def spoil(layer, deviations=4.0):
    layer.running_mean += deviations * (layer.running_var + layer.eps).sqrt()


def test_drift_is_in_exact_deviations():
    """Mean off by 3 of 2, deviation 4 against 2: sqrt(1.5^2 + 1^2)."""
    net, exact = nn.BatchNorm2d(1, eps=0.0), nn.BatchNorm2d(1, eps=0.0)
    net.running_mean.fill_(13.0)
    exact.running_mean.fill_(10.0)
    net.running_var.fill_(16.0)
    exact.running_var.fill_(4.0)
    (layer,) = drifts(net, exact)
    assert layer.shift == pytest.approx(1.5)
    assert layer.spread == pytest.approx(1.0)
    assert layer.drift == pytest.approx(math.hypot(1.5, 1.0))
    assert not layer.untouched


def test_a_channel_among_many_shows_as_the_worst():
    net, exact = nn.BatchNorm2d(4, eps=0.0), nn.BatchNorm2d(4, eps=0.0)
    net.running_mean[2] = 2.0
    (layer,) = drifts(net, exact)
    assert layer.drift == pytest.approx(1.0)
    assert layer.worst == pytest.approx(2.0)


def test_a_net_with_exact_statistics_is_sound():
    found = found_in(*prepared())
    assert found.running.error == 0
    assert found.exact.error == 0
    assert found.batches[-1].error == 0
    assert found.layers[0].drift == 0
    assert found.mended == ()
    assert not any(finding.wrong for finding in advise(found))


def test_the_layer_that_was_spoiled_is_found_named_and_mended():
    net, twin, measure = prepared()
    spoil(net[4])
    before = copy.deepcopy(net.state_dict())
    found = found_in(net, twin, measure)
    assert found.running.error > 20
    assert [layer.name for layer in found.layers] == ["4", "1"]
    assert found.layers[0].drift == pytest.approx(4, abs=1e-3)
    assert [each.name for each in found.mended] == ["4"]
    assert found.mended[0].measured.error == 0
    assert found.batches[-1].error == 0
    assert all(torch.equal(net.state_dict()[key], value) for key, value in before.items())
    first, gap, *_ = advise(found)
    assert first.says.startswith("4 has drifted by 4.0 standard deviations")
    assert f"from {found.running.error:.1f} to 0.0 %" in first.says
    assert "Take exact statistics" in first.do
    assert f"loses {found.running.error:.1f} points" in gap.says


def test_layers_are_mended_one_after_another_the_furthest_first():
    net, twin, measure = prepared()
    spoil(net[1], 2.0)
    spoil(net[4], 6.0)
    found = found_in(net, twin, measure)
    assert [each.name for each in found.mended] == ["4", "1"]
    assert found.mended[0].measured.error > 0
    assert found.mended[1].measured.error == 0


def test_tiny_batches_are_said_to_be_noisy():
    found = found_in(*prepared())
    tiny, _, whole = found.batches
    assert tiny.error > whole.error == 0
    assert len(tiny.found) == 3
    assert smallest_sound_batch(found) in {8, None}
    assert any("too noisy: with 2 the error is" in finding.says for finding in advise(found))


def test_training_with_tiny_batches_is_told():
    found = found_in(*prepared(), trained_with=2)
    assert any("trained with 2 pictures per pass" in finding.says for finding in advise(found))


def test_layers_without_statistics_are_told():
    _, twin, measure = prepared()
    found = found_in(net_of(), twin, measure)
    assert all(layer.untouched for layer in found.layers)
    assert advise(found)[0].says.startswith("2 layers of 2 have the statistics that layers are")


def test_numbers_that_are_not_finite_are_told():
    net, twin, measure = prepared()
    net[1].running_var[0] = torch.nan
    found = found_in(net, twin, measure)
    assert found.layers[0].name == "1"
    assert not found.layers[0].finite
    says = [finding.says for finding in advise(found)]
    assert any(told.startswith("1 layer keeps statistics that are no finite") for told in says)


def test_freezing_and_folding_change_nothing_in_evaluation():
    found = found_in(*prepared())
    assert found.freezing == Change(layers=2, left=0, parameters=16, difference=0.0)
    # 16 parameters of two normalizations go, 8 biases come.
    assert (found.folding.layers, found.folding.left, found.folding.parameters) == (2, 0, 8)
    assert 0 <= found.folding.difference < 1e-5


def test_frozen_layers_are_told_and_a_net_of_them_alone_is_refused():
    net, twin, measure = prepared()
    freeze(net, [net[1]])
    freeze(twin, [twin[1]])
    found = found_in(net, twin, measure)
    assert found.frozen == 1
    assert "frozen" in advise(found)[-1].says
    freeze(net, [net[4]])
    with pytest.raises(ConfigError, match="no batch normalization that keeps statistics"):
        found_in(net, twin, measure)


def errors(*wrong, count=400):
    """Measure so many wrong pictures, the first ones of all."""
    made = []
    for number in wrong:
        wrong_N = torch.zeros(count, dtype=torch.bool)
        wrong_N[:number] = True
        made.append(Measured(loss=0.1, wrong_N=wrong_N))
    return made


def test_a_difference_is_clear_by_the_pictures_that_change():
    """Of 400 pictures, k that only one side gets wrong: k > 2 sqrt(k (1 - k / 400)), k >= 4."""
    assert not clear(errors(40), errors(40))
    assert not clear(errors(43), errors(40))
    assert clear(errors(45), errors(40))
    one, other = errors(40)[0], errors(40)[0]
    other = dataclasses.replace(other, wrong_N=other.wrong_N.roll(200))
    assert not clear([one], [other])


def imagined(running, exact, batches):
    layer = drifts(nn.BatchNorm2d(1), nn.BatchNorm2d(1))[0]
    change = Change(layers=1, left=0, parameters=2, difference=0.0)
    return Examination(
        how=Examining(sizes=tuple(batches)),
        running=errors(running)[0],
        exact=errors(exact)[0],
        batches=tuple(InBatches(size=s, found=tuple(errors(w))) for s, w in batches.items()),
        layers=(dataclasses.replace(layer, untouched=False),),
        mended=(),
        frozen=0,
        freezing=change,
        folding=change,
    )


@pytest.mark.parametrize(
    ("running", "exact", "largest", "words", "wrong"),
    [
        (40, 40, 40, "No gap", False),
        (100, 40, 40, "Take exact statistics: with them the error is 10.0 %.", True),
        (100, 100, 40, "Exact statistics do not close it (25.0 %).", True),
        (100, 100, 40, "Even with exact statistics the error is 15.0 points above", True),
        (40, 40, 100, "worse than the running ones", False),
        (40, 100, 100, "Keep the running ones", False),
        (100, 40, 100, "Use them: they cost nothing in use.", True),
    ],
)
def test_what_errors_mean(running, exact, largest, words, wrong):
    findings = advise(imagined(running, exact, {2: 300, 256: largest}))
    told = [finding for finding in findings if words in f"{finding.says} {finding.do}"]
    assert [finding.wrong for finding in told] == [wrong]


def test_the_smallest_sound_batch_is_below_no_unsound_one():
    assert smallest_sound_batch(imagined(40, 40, {2: 40, 4: 80, 8: 40, 16: 40})) == 8
    assert smallest_sound_batch(imagined(40, 40, {2: 80, 4: 80, 8: 40})) is None
    assert smallest_sound_batch(imagined(40, 40, {2: 40, 4: 40})) == 2
    # A difference that is clear and small makes no batch too small.
    assert clear(errors(109), errors(100))
    assert smallest_sound_batch(imagined(40, 40, {2: 200, 4: 109, 8: 100})) == 4
    told = [finding.says for finding in advise(imagined(40, 40, {2: 40, 4: 40}))]
    assert "Batches of 2 are hardly worse than batches of 4 (10.0 and 10.0 %)." in told
