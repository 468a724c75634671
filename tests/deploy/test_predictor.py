"""A run ready to be asked: pictures in, answers out."""

import dataclasses
import io

import pytest
import torch
from PIL import Image
from torch import nn

from pictured import photograph, save
from residua import runs, trained_detector
from residua.data.decode import cut
from residua.data.fit import Center, Whole
from residua.data.normalize import Normalize
from residua.data.pictures import read
from residua.data.upright import whole
from residua.deploy import predictor
from residua.deploy.engine import Eager
from residua.deploy.predictor import Classifier, Finder
from residua.errors import DataError
from residua.nets.cifar import resnet

CPU = torch.device("cpu")
NORMALIZE = Normalize.of((0.4, 0.5, 0.6), (0.2, 0.3, 0.25))


def pixels(count=3, size=32):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, size, size), dtype=torch.uint8, generator=generator)


def eager(net, dtype=torch.float32):
    return Eager(net, NORMALIZE, CPU, dtype)


def classifier(engine=None, **changes):
    given = Classifier(
        engine=engine or eager(resnet(8)),
        classes=tuple("abcdefghij"),
        shape=(3, 32, 32),
        fit=Center(),
        folder=None,
        brightness=0.2,
    )
    return dataclasses.replace(given, **changes)


class Ends(nn.Module):
    """A net whose answer is known: the mean of each channel after normalization."""

    def forward(self, x):
        return x.mean(dim=(2, 3))


def test_an_engine_brings_pixels_into_the_range_of_its_net():
    logits = eager(Ends())(torch.full((2, 3, 4, 4), 51, dtype=torch.uint8))
    assert logits.dtype == torch.float32
    # 51 / 255 = 0.2: (0.2 - 0.4) / 0.2, (0.2 - 0.5) / 0.3, (0.2 - 0.6) / 0.25.
    assert torch.allclose(logits, torch.tensor([[-1.0, -1.0, -1.6]] * 2))


def test_an_engine_leaves_training_mode_and_keeps_no_graph():
    net = resnet(8).train()
    logits = eager(net)(pixels())
    assert not net.training
    assert not logits.requires_grad


def test_reduced_precision_is_near_and_float32_in_the_end():
    torch.manual_seed(0)
    net = resnet(8)
    full, reduced = eager(net)(pixels()), eager(net, torch.bfloat16)(pixels())
    assert reduced.dtype == torch.float32
    assert not torch.equal(full, reduced)
    assert torch.allclose(full.softmax(dim=1), reduced.softmax(dim=1), atol=0.02)


def test_probabilities_are_the_softmax_of_the_logits():
    found = classifier(eager(Ends())).probabilities(pixels())
    assert torch.allclose(found, eager(Ends())(pixels()).softmax(dim=1))
    assert torch.allclose(found.sum(dim=1), torch.ones(3))


def test_the_mean_of_a_map_is_the_logit_without_its_bias():
    torch.manual_seed(0)
    engine = eager(resnet(8))
    maps = classifier(engine).maps(pixels())
    assert maps.shape == (3, 10, 8, 8)
    bias = [each for each in engine.net.modules() if isinstance(each, nn.Linear)][-1].bias
    assert torch.allclose(maps.mean(dim=(2, 3)) + bias, engine(pixels()), atol=1e-4)


def test_there_is_no_map_where_none_is_exact():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 10))
    assert classifier(eager(flat)).maps(pixels()) is None
    assert classifier(lambda p: torch.zeros(len(p), 10)).maps(pixels()) is None


def test_what_is_in_a_file_is_read_as_the_file_is(tmp_path):
    path = save(tmp_path / "a.jpg", photograph(90, 50), turn=6)
    expected = read(path, (3, 32, 32), Center())
    assert torch.equal(classifier().read(path), expected)
    assert torch.equal(classifier().read(path.read_bytes()), expected)
    assert torch.equal(classifier().read(io.BytesIO(path.read_bytes())), expected)
    assert not torch.equal(classifier(fit=Whole()).read(path), expected)


def test_more_pixels_than_allowed_are_refused_before_they_are_decoded(tmp_path, monkeypatch):
    path = save(tmp_path / "a.png", photograph(30, 20))
    assert classifier().read(path, most_pixels=600).shape == (3, 32, 32)
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("decoded"))
    with pytest.raises(DataError, match=r"a.png has more than 599 pixels \(shrink it first\)"):
        classifier().read(path, most_pixels=599)
    with pytest.raises(DataError, match=r"^the picture has more than 599 pixels"):
        classifier().read(path.read_bytes(), most_pixels=599)


def test_swapped_light_and_dark_are_noticed():
    dark, light = torch.full((3, 4, 4), 51), torch.full((3, 4, 4), 204)
    assert classifier().looks_inverted(light)
    assert not classifier().looks_inverted(dark)
    assert not classifier(brightness=0.0).looks_inverted(light)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """The runs of a classifier and of a detector, trained for an update."""
    from residua import execute, recipes
    from residua.train.schedule import StepsConfig
    from test_detection import tiny

    root = tmp_path_factory.mktemp("runs")
    digits = recipes.find("digits.resnet20")
    digits = dataclasses.replace(
        digits,
        net=dataclasses.replace(digits.net, depth=8),
        schedule=dataclasses.replace(digits.schedule, until=1, warmup=0),
    )
    detector = tiny(schedule=StepsConfig(lr=0.01, at=(), until=1))
    return [execute.run(each, root=root, page=False).folder for each in (digits, detector)]


def test_the_run_of_a_classifier_answers_as_its_net_does(folders, tmp_path):
    asked, trained = predictor.load(folders[0]), runs.load(folders[0])
    assert isinstance(asked, Classifier)
    assert (asked.classes, asked.shape) == (trained.classes, trained.shape)
    assert asked.brightness == pytest.approx(trained.normalize.mean.mean().item())
    picture = asked.read(save(tmp_path / "a.png"))[None]
    with torch.no_grad():
        expected = trained.net(trained.normalize(picture)).softmax(dim=1)
    assert torch.allclose(asked.probabilities(picture), expected, atol=1e-6)


def test_the_run_of_a_detector_finds_what_its_detector_finds(folders, tmp_path):
    asked = predictor.load(folders[1])
    assert isinstance(asked, Finder)
    assert asked.classes == trained_detector.load(folders[1]).classes
    path = save(tmp_path / "a.png", photograph(70, 50))
    picture = asked.read(path)
    assert torch.equal(picture, cut(path, whole, 3))
    assert torch.equal(asked.read(path.read_bytes()), picture)
    (many,) = asked.find([picture], 0.0)
    threshold = many.scores_D.median().item()
    (fewer,) = asked.find([picture], threshold)
    assert 0 < len(fewer) < len(many)
    assert torch.equal(fewer.scores_D, many.scores_D[: len(fewer)])
