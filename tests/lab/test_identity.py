import dataclasses
import json
import math

import pytest
import torch

from residua.cli.dispatch import main
from residua.errors import ConfigError, RunError
from residua.lab.identity import IdentityConfig, block, fit_identity, page, quick, small_maps
from residua.report.identity import (
    Fit,
    IdentityStudy,
    count,
    finding,
    number,
    sentences,
    write_identity,
)
from residua.runtime import generator

SHORT = IdentityConfig(layers=(1, 3), width=8, iterations=60, rates=(0.3, 0.1), seeds=2)


@pytest.fixture(scope="module")
def study():
    return fit_identity(SHORT)


def by_hand(kind, layers, rate, small, seed):
    """Train one block as a short script would, with PyTorch's own SGD."""
    net = block(kind, layers, SHORT.width, generator(seed, "identity", layers))
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=SHORT.momentum)
    inputs, g = generator(seed, "identity", "inputs"), small_maps(SHORT)
    losses = []
    for _ in range(SHORT.iterations):
        x = torch.randn(SHORT.batch_size, SHORT.width, generator=inputs)
        y = x + small * g(torch.stack([x] * SHORT.seeds))[seed]
        loss = (net(x) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("kind", ["plain", "residual"])
@pytest.mark.parametrize(("target", "small"), [("x", 0.0), ("x + small", 0.1)])
def test_blocks_side_by_side_learn_as_one_alone(study, kind, target, small):
    fit = next(fit for fit in study.of(kind, target) if fit.layers == 3)
    alone = by_hand(kind, 3, fit.rate, small, seed=1)
    assert fit.iterations == tuple(range(1, 61))
    assert fit.losses[1] == pytest.approx(alone, rel=1e-2, abs=1e-7)


def test_of_the_rates_the_best_one_counts(study):
    fit = study.of("plain", "x")[1]
    others = {
        rate: sum(sum(by_hand("plain", 3, rate, 0.0, seed)[-6:]) for seed in (0, 1))
        for rate in SHORT.rates
    }
    assert fit.rate == min(others, key=others.get)


def test_a_plain_and_a_residual_block_differ_by_the_input():
    plain, residual = (
        block(kind, 4, 8, generator(3, "identity")) for kind in ("plain", "residual")
    )
    x = torch.randn(5, 8)
    assert torch.allclose(residual(x), plain(x) + x)
    assert plain.residual.linear4.weight.std().item() == pytest.approx(0.5, rel=0.3)


def test_the_small_map_has_mean_square_one_and_is_of_each_seed():
    g = small_maps(SHORT)
    x = torch.randn(1, 20000, 8).expand(2, -1, -1)
    y = g(x)
    assert y.square().mean(dim=(1, 2)) == pytest.approx([1.0, 1.0], rel=0.1)
    assert not torch.allclose(y[0], y[1])


def test_residual_blocks_of_several_layers_learn_the_identity_faster(study):
    """The claim itself, on a short training of three layers."""
    plain, residual = (study.of(kind, "x")[1] for kind in ("plain", "residual"))
    assert max(residual.ends) < min(plain.ends) / 10


@pytest.mark.parametrize(
    "changes", [{"layers": ()}, {"layers": (0,)}, {"rates": ()}, {"rates": (0.0,)}, {"seeds": 0}]
)
def test_studies_without_sense_are_refused(changes):
    with pytest.raises(ConfigError):
        fit_identity(dataclasses.replace(SHORT, **changes))


def fit_of(kind, target, layers, *ends):
    return Fit(
        target=target,
        kind=kind,
        layers=layers,
        rate=0.1,
        iterations=(10, 20),
        losses=tuple((1.0, end) for end in ends),
    )


def imagined(plain, residual):
    fits = [
        fit_of(kind, target, layers, *ends)
        for target in ("x", "x + small")
        for kind, found in (("plain", plain), ("residual", residual))
        for layers, ends in found.items()
    ]
    return IdentityStudy(fits=tuple(fits), small=0.1, seeds=3, settings={"loss": "x"}, seconds=1.0)


def test_sentences_follow_from_the_losses_and_not_from_the_claim():
    found = imagined(
        {1: (1e-5, 2e-5, 3e-5), 2: (0.5, 0.4, 0.6)}, {1: (1e-4, 1e-4, 1e-4), 2: (1e-2, 2e-3, 3e-3)}
    )
    assert finding(found) == (
        "y = x + 0.1 g(x) with 2 layers: a loss of 0.5 without the shortcut, 3.0·10⁻³ with it"
    )
    assert sentences(found)[0] == (
        "y = x: with every seed the plain block ends with the higher loss at 2 layers, with the "
        "lower one at 1 layer. 1 of 2 plain ones and 1 of 2 residual ones come below 1.0·10⁻³, a "
        "tenth of what the small map alone amounts to."
    )


def test_seeds_that_overlap_and_rounding_decide_nothing():
    found = imagined({1: (1e-14,) * 3, 2: (0.1, 0.3, 0.5)}, {1: (1e-16,) * 3, 2: (0.01, 0.2, 0.02)})
    assert "higher loss at no depth. 1 of 2 plain" in sentences(found)[0]


def test_what_is_beyond_the_identity_is_counted():
    found = imagined({1: (0.5,), 2: (0.5,)}, {1: (0.004,), 2: (0.0099,)})
    assert "A loss of 0.01 is that of answering x itself" in sentences(found)[2]
    assert "1 of 2 residual blocks come below half of it" in sentences(found)[2]


def test_iterations_to_a_loss_are_the_median_of_the_seeds():
    fit = fit_of("plain", "x", 1, 0.1, 0.1, 0.5)
    assert fit.reaches(0.2) == 20
    assert fit.reaches(1.0) == 10
    assert fit.reaches(0.01) == math.inf
    assert (count(math.inf), count(1200.0)) == ("never", "1,200")
    assert (number(math.inf), number(0.0101), number(2.5e-8)) == ("diverged", "0.01", "2.5·10⁻⁸")


def test_the_page_states_what_was_trained_and_has_every_number(study, tmp_path):
    text = page(tmp_path, study).read_text()
    for words in ("N(0, 1) in 8 dimensions", "SGD, momentum 0.9", "n = 2", "y = x + 0.1 g(x)"):
        assert words in text
    assert text.count("<td>residual</td>") == 4
    assert "<script" not in text
    record = json.loads((tmp_path / "identity.json").read_text())
    assert len(record["fits"]) == 8
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_a_training_that_diverged_is_drawn_and_said(tmp_path):
    found = imagined({2: (math.inf,) * 3}, {2: (1e-30,) * 3})
    text = write_identity(tmp_path, found, environment={}, command="residua").read_text()
    assert "diverged" in text
    assert "inf" not in text.partition("<svg")[2].partition("</svg>")[0]


def test_no_block_is_no_study(tmp_path):
    empty = IdentityStudy(fits=(), small=0.1, seeds=1, settings={}, seconds=0.0)
    with pytest.raises(RunError, match="at least one block"):
        write_identity(tmp_path, empty, environment={}, command="residua")


def test_the_command_prints_the_table_and_the_page(capsys):
    assert main(["lab", "identity", "--smoke"]) == 0
    told = capsys.readouterr().out
    assert "y = x + 0.1 g(x) with 2 layers" in told
    assert told.splitlines()[-1] == "runs/lab/identity/report.html"
    assert main(["lab", "identity", "--layers", "0"]) == 2


def test_a_quick_study_is_small():
    assert quick(IdentityConfig()).layers == (1, 2)
