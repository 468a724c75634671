import dataclasses

import pytest

from residua import events, recipes
from residua.errors import ConfigError
from residua.lab.degradation import as_published, degradation, experiments
from residua.lab.ground import ground
from residua.lab.layers import layers_of
from residua.lab.sweep import Manner


def test_twins_share_everything_but_the_shortcut():
    plan = experiments((20, 56), range(2))
    assert [(e.name, e.seed) for e in plan] == [
        (f"digits.{family}{depth}", seed)
        for depth in (20, 56)
        for family in ("plain", "resnet")
        for seed in (0, 1)
    ]
    changes = {"name": "", "net": plan[0].net, "seed": 0}
    assert len({dataclasses.replace(experiment, **changes) for experiment in plan}) == 1


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of two networks with two seeds: its plan, its folder and its results."""
    plan = experiments((8,), range(2), families=("plain", "preresnet"), updates=2)
    plan = [each.smoke() for each in plan]
    root = tmp_path_factory.mktemp("runs")
    return plan, *degradation(plan, root=root, manner=Manner(page=False))


def test_the_study_trains_all_and_draws_a_page(study):
    plan, folder, results = study
    root = folder.parents[1]
    assert folder == root / "lab" / "degradation"
    assert len(results) == 4
    for result in results:
        assert events.result(events.read(result.folder))["test_error"] == result.test_error
    page = (folder / "report.html").read_text()
    assert "n = 2" in page
    again, (one,) = degradation(plan[:1], root=root)
    assert again.name == "degradation-2"
    assert one.page.is_file()


def test_networks_are_looked_into_layer_by_layer(study):
    _, folder, results = study
    found, note = layers_of([result.folder for result in results])
    assert [(each.name, each.family) for each in found] == [
        ("plain-8", "plain"),
        ("PreResNet-8", "pre-activation"),
    ]
    for each in found:
        # Seven 3x3 layers, and the linear one, which gradients come to as well.
        assert [len(values) for values in each.quantities.values()] == [7, 8, 8]
        assert all(value > 0 for values in each.quantities.values() for value in values)
    assert "n = 2 trainings" in note
    page = (folder / "report.html").read_text()
    assert "gradient norm, before training" in page
    assert "figure 7" in page
    one, other = (layers_of([result.folder])[0][0] for result in results[:2])
    for name, values in found[0].quantities.items():
        pairs = zip(one.quantities[name], other.quantities[name], strict=True)
        assert values == pytest.approx([(a + b) / 2 for a, b in pairs])
        assert one.quantities[name] != other.quantities[name]


def test_any_depth_family_and_data(tmp_path):
    plan = experiments((8, 14), range(1), on=ground("cifar10"), families=("highway",), updates=640)
    assert [each.name for each in plan] == ["cifar10.highway8", "cifar10.highway14"]
    assert plan[0].schedule.at == (320, 480)
    assert plan[0].net.shortcut == "exclusive_gating"
    with pytest.raises(ConfigError, match="got 21"):
        experiments((21,), range(1))


def test_whole_recipes_are_those_of_the_papers():
    nets = as_published((20, 110), range(2), data="cifar10")
    assert [(each.name, each.seed) for each in nets[:3]] == [
        ("cifar.plain20", 0),
        ("cifar.plain20", 1),
        ("cifar.resnet20", 0),
    ]
    eased = recipes.find_classifier("cifar.resnet110")
    assert nets[-1] == dataclasses.replace(eased, claims=(), seed=1)
    post = as_published((34,), range(1), data="mnist")
    assert [each.name for each in post] == ["mnist.plain34", "mnist.residual34"]
    with pytest.raises(ConfigError, match="those of the blog post"):
        as_published((20,), range(1), data="mnist")
    (other,) = as_published((20,), range(1), data="cifar10", families=("preresnet",))
    assert (other.name, other.schedule.until) == ("cifar10.preresnet20", 64_000)
    assert other.data.holdout == 0
