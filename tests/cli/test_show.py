"""The card of a recipe, whose data need not be on this machine."""

import re

import pytest

from residua.cli.dispatch import main
from residua.data import place


@pytest.fixture
def show(capsys, monkeypatch, tmp_path):
    """Show a net on a machine without data sets, where a fetch would be found out."""
    monkeypatch.delenv(place.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def fetch(*arguments, **options):
        raise AssertionError("a card fetched a data set")

    monkeypatch.setattr(place, "fetch", fetch)

    def call(*words):
        code = main(["show", *words])
        printed = capsys.readouterr()
        assert code == 0, printed.err
        return printed.out

    return call


def test_the_readmes_comparison_needs_no_pictures(show):
    text = show("torchvision:resnet50", "--against", "imagenet.resnet50")
    assert re.search(r"stride of bottlenecks +on the 3x3 +on the 1x1", text)


def test_numbers_that_a_recipe_gives_are_told_without_its_pictures(show):
    text = show("imagenet.resnet50")
    assert re.search(r"input +3x224x224\n", text)
    assert re.search(r"mean +0.485, 0.456, 0.406\n", text)
    assert re.search(r"std +1, 1, 1\n", text)


@pytest.mark.parametrize("name", ["preact.preresnet164", "whitened.wrn16_8"])
def test_numbers_of_pictures_that_are_not_there_are_the_datas(show, tmp_path, name):
    text = show(name)
    assert re.search(r"input +3x32x32\n", text)
    assert re.search(r"mean +its data's\n", text)
    assert not (tmp_path / "cache").exists()


def test_numbers_of_pictures_that_are_there_are_told(show):
    assert re.search(r"mean +0.3048", show("digits.resnet20"))
