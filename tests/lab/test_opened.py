import dataclasses
import shutil

import pytest
import torch

from residua import events, execute, recipes, runs
from residua.classification import Classification
from residua.config import to_yaml
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.data.sets import DigitsConfig
from residua.errors import CheckpointError, ConfigError
from residua.lab import inside
from residua.lab.opened import by_network, loss, open_runs
from residua.recipes import detection
from residua.train.parallel import World


def trained(root, name="resnet20", **settings):
    recipe = recipes.find(f"digits.{name}")
    tiny = dataclasses.replace(
        recipe,
        net=dataclasses.replace(recipe.net, depth=8),
        schedule=dataclasses.replace(recipe.schedule, until=3, warmup=0),
        **settings,
    )
    return execute.run(tiny, root=root, page=False).folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("opened")
    return {
        "residual": trained(root),
        "another seed": trained(root, seed=1),
        "another rate": trained(root, batch_size=64),
        "plain": trained(root, "plain20"),
    }


def test_runs_that_differ_in_their_seed_alone_are_one_network(folders):
    opened = open_runs(list(folders.values()), pictures=8)
    assert [each.label for each in opened] == [
        "digits.resnet20",
        "digits.resnet20",
        "digits.resnet20 seed0-2",
        "digits.plain20",
    ]
    together = by_network(opened, lambda each: each.folder.name)
    assert together["digits.resnet20"] == ["seed0", "seed1"]


def test_pictures_are_the_runs_own_and_the_same_for_all(folders):
    one, other = open_runs([folders["residual"], folders["plain"]], pictures=100)
    assert one.part == "validation"
    assert one.pictures == 100 < one.there
    assert torch.equal(one.inputs[0], other.inputs[0])
    assert one.fingerprint == other.fingerprint
    images = runs.load(one.folder).experiment.load_data().validation
    normal = runs.load(one.folder).normalize(images.images)
    for picture, label in zip(one.batches[0].images[:5], one.batches[0].labels, strict=False):
        (index,) = (normal == picture).all(dim=(1, 2, 3)).nonzero().flatten()[:1].tolist()
        assert images.labels[index] == label


def test_all_pictures_are_cut_into_equal_batches_without_order(folders):
    (opened,) = open_runs([folders["residual"]], part="train", pictures=10**6)
    assert opened.pictures == opened.there
    sizes = [len(batch.labels) for batch in opened.batches]
    assert max(sizes) <= 128
    assert max(sizes) - min(sizes) < len(sizes)
    assert all(len(batch.labels.unique()) == 10 for batch in opened.batches)


def test_error_and_loss_are_those_of_a_test(folders):
    (opened,) = open_runs([folders["residual"]], part="test", pictures=10**6)
    recorded = events.result(events.read(opened.folder))
    assert opened.error(opened.net) == pytest.approx(recorded["test_error"])
    losses = [float(loss(opened.net, b).detach()) * len(b.labels) for b in opened.batches]
    assert sum(losses) / opened.pictures == pytest.approx(recorded["loss"], rel=1e-4)


def test_drawn_weights_are_those_that_the_training_began_with(folders):
    (opened,) = open_runs([folders["another seed"]], pictures=2, weights="drawn")
    experiment = runs.read_experiment(opened.folder)
    world = World(0, 1, torch.device("cpu"))
    began = Classification(experiment, world, dtype=torch.float32, fresh=True).net.state_dict()
    drawn = opened.net.state_dict()
    assert all(torch.equal(drawn[name], began[name]) for name in began)
    (last,) = open_runs([folders["another seed"]], pictures=2)
    assert not torch.equal(last.net.head.weight, opened.net.head.weight)


def test_what_no_part_has_and_what_cannot_be_told_apart(folders, tmp_path):
    with pytest.raises(ConfigError, match="pictures must be at least 1"):
        open_runs([folders["plain"]], pictures=0)
    six = [tmp_path / f"run{size}" for size in range(8, 14)]
    for size, folder in enumerate(six, start=8):
        shutil.copytree(folders["plain"], folder)
        config = folder / "config.yaml"
        config.write_text(config.read_text().replace("batch_size: 128", f"batch_size: {size}"))
    with pytest.raises(ConfigError, match="at most 5 networks"):
        open_runs(six)


def test_a_run_without_validation_pictures_is_looked_at_with_test_pictures(tmp_path, monkeypatch):
    splits = dataclasses.replace(DigitsConfig().load(), validation=None)
    monkeypatch.setattr(DigitsConfig, "load", lambda _: splits)
    folder = trained(tmp_path)
    (opened,) = open_runs([folder], pictures=3)
    assert opened.part == "test"
    with pytest.raises(ConfigError, match="has no validation pictures"):
        open_runs([folder], part="validation")


def test_data_that_were_handed_over_in_python(tmp_path):
    digits = torch.randint(256, (20, 1, 8, 8), dtype=torch.uint8)
    images = ImageSet(digits, torch.arange(20) % 10, tuple("0123456789"))
    folder = trained(tmp_path, data=Splits(images, None, images), batch_size=4)
    with pytest.raises(ConfigError, match="data was handed over"):
        open_runs([folder])


def test_a_run_that_began_with_weights_of_others_has_none_drawn(folders, tmp_path):
    weights = folders["residual"] / "weights" / "last.safetensors"
    folder = trained(tmp_path, weights=str(weights))
    with pytest.raises(ConfigError, match="none were drawn"):
        open_runs([folder], weights="drawn")


def test_a_detectors_run_is_refused(tmp_path):
    (tmp_path / "config.yaml").write_text(to_yaml(detection.scenes()))
    with pytest.raises(ConfigError, match="run of a detector"):
        open_runs([tmp_path])


def test_a_run_that_has_not_ended_is_refused(folders, tmp_path):
    half = tmp_path / "half"
    half.mkdir()
    (half / "config.yaml").write_text((folders["plain"] / "config.yaml").read_text())
    whole = (folders["plain"] / "events.jsonl").read_text().splitlines()
    (half / "events.jsonl").write_text("\n".join(whole[:-1]) + "\n")
    with pytest.raises(CheckpointError, match=r"not come to its end.*--resume"):
        open_runs([half])


def test_looks_find_something_in_every_run(folders):
    opened = open_runs(
        [folders[name] for name in ("plain", "residual", "another seed")], pictures=8
    )
    names = ["digits.plain20", "digits.resnet20"]
    for found in (
        inside.responses_of(opened),
        inside.gradients_of(opened),
        inside.lesions_of(opened, most=1, samples=1, seed=0),
        inside.lines_of(opened, reach=1.0, points=3, directions=2, seed=0),
    ):
        assert list(found) == names
        assert [len(some) for some in found.values()] == [1, 2]
    # What takes residual blocks is found where they are.
    assert list(inside.closeness_of(opened)) == names[1:]
    (through,) = inside.paths_of(opened, samples=1, seed=0).values()
    assert [len(each.lengths) for each in through] == [4, 4]
    planes = inside.planes_of(opened, reach=1.0, points=3, seed=0)
    lines = inside.lines_of(opened, reach=1.0, points=3, directions=1, seed=0)
    for name in names:
        assert planes[name].losses[1] == pytest.approx(lines[name][0][0].losses)


def test_numbers_without_sense(folders):
    opened = open_runs([folders["residual"]], pictures=2)
    for look in (
        lambda: inside.paths_of(opened, samples=0, seed=0),
        lambda: inside.lesions_of(opened, most=0, samples=1, seed=0),
        lambda: inside.lines_of(opened, reach=1.0, points=3, directions=0, seed=0),
    ):
        with pytest.raises(ConfigError, match="at least 1"):
            look()
