import json
import math
import xml.etree.ElementTree as ET

import pytest

from residua import plots, report
from residua.analyze.closeness import Closeness
from residua.analyze.gradients import Gradients, LayerGradient
from residua.analyze.lesion import Deleted, Lesions, Reordered, SeveralDeleted
from residua.analyze.paths import PathLength, Paths
from residua.analyze.responses import Response, Responses
from residua.analyze.surface import Line, Plane
from residua.plots.contours import levels
from residua.report.inside import About, Network


@pytest.fixture
def no_slides(monkeypatch):
    """Draw for the page alone, which takes half the time."""
    for name in ("profiles_for_slides", "contours_for_slides"):
        monkeypatch.setattr(plots, name, lambda *_, **__: ("<svg/>", b""))


def about(*labels, runs=1, prints=("a", "a")):
    networks = [
        Network(
            label=label,
            folders=[f"runs/{label}/seed{seed}" for seed in range(runs)],
            part="validation",
            pictures=256,
            there=360,
            fingerprint=fingerprint,
        )
        for label, fingerprint in zip(labels, prints, strict=False)
    ]
    return About(networks=networks, weights="trained", environment={"torch": "2"}, command="it")


def words(svg):
    return [text.text for text in ET.fromstring(svg).iter("text")]


def answers(*stds):
    return Responses(tuple(Response(f"conv{i}", std, True) for i, std in enumerate(stds)), 256)


CLOSE = (Closeness("stages.0", True, 1.0, 4.0, 0.25, -0.5),)


def test_responses_say_their_means_and_how_many(tmp_path):
    page = report.write_responses(
        tmp_path,
        {"plain": [answers(1.0, 2.0)], "residual": [answers(0.5, 0.25)]},
        {"residual": [CLOSE]},
        about("plain", "residual"),
    )
    text = page.read_text()
    assert "layer responses: plain 1.50 and residual 0.38" in text
    assert "n = 1 run of each network; 256 validation pictures; trained weights" in text
    assert "figure 7" in text
    assert "not looked at with the same pictures" not in text
    assert "Closeness of blocks" in text
    assert "<script" not in text
    found = json.loads((tmp_path / "responses.json").read_text())["found"]
    assert found["responses"]["plain"][0]["layers"][1]["std"] == 2.0
    assert found["closeness"]["residual"][0][0]["cosine"] == -0.5
    for name in ("responses", "closeness"):
        assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"{name}.svg").read_text().startswith("<svg")


@pytest.mark.usefixtures("no_slides")
def test_several_runs_are_means_with_their_range(tmp_path):
    page = report.write_responses(
        tmp_path, {"plain": [answers(1.0), answers(3.0)]}, {}, about("plain", runs=2)
    )
    text = page.read_text()
    assert "layer responses: plain 2.00</h1>" in text
    assert "2 (1 to 3)" in text
    assert "n = 2 runs of each network; lines: means over runs, bands: smallest to largest" in text
    assert "Closeness" not in text


@pytest.mark.usefixtures("no_slides")
def test_other_pictures_are_told(tmp_path):
    page = report.write_responses(
        tmp_path, {"a": [answers(1.0)], "b": [answers(1.0)]}, {}, about("a", "b", prints="xy")
    )
    assert "not looked at with the same pictures" in page.read_text()


@pytest.mark.usefixtures("no_slides")
def test_gradients_and_what_comes_through_paths(tmp_path):
    layers = (LayerGradient("a", 1.0, 0.1, 6.0), LayerGradient("b", 2.0, 0.2, 3.0))
    lengths = tuple(
        PathLength(n, share, (norm,)) for n, share, norm in ((0, 0.5, 2.0), (1, 0.5, 0.0))
    )
    page = report.write_gradients(
        tmp_path,
        {"residual": [Gradients(layers, 0.25, 256)]},
        {"residual": [Paths(1, lengths, 128)]},
        about("residual"),
    )
    text = page.read_text()
    assert "beside that at the last&#39;s: 2 times in residual" in text
    assert "The loss is 0.25 in residual nats" in text
    assert "paths of 0 to 0 of 1 blocks make up 95 %" in text
    assert "product; they are 50 % of all paths" in text


@pytest.mark.usefixtures("no_slides")
def test_paths_between_the_lengths_looked_at_count_too(tmp_path):
    lengths = tuple(PathLength(n, math.comb(4, n) / 16, (1.0,)) for n in (0, 2, 4))
    gradients = {"net": [Gradients((LayerGradient("a", 1.0, 1.0, 1.0),), 0.1, 9)]}
    page = report.write_gradients(
        tmp_path, gradients, {"net": [Paths(4, lengths, 9)]}, about("net")
    )
    text = page.read_text()
    assert "paths of 0 to 4 of 4 blocks" in text
    assert "over the 3 lengths looked at; they are 100 % of all paths" in text


@pytest.mark.usefixtures("no_slides")
def test_lesions_say_what_one_block_costs(tmp_path):
    def lesion(*errors, order=()):
        each = tuple(Deleted(f"b{i}", True, error) for i, error in enumerate(errors))
        return Lesions(
            whole=5.0, each=each, several=(SeveralDeleted(1, (6.0, 8.0)),), reordered=order
        )

    changed = (Reordered(1, 0.9, 7.0), Reordered(2, 0.9, 9.0), Reordered(2, 0.5, 30.0))
    found = {"plain": [lesion(80.0, 90.0, 91.0)], "residual": [lesion(6.0, 7.0, order=changed)]}
    text = report.write_lesions(tmp_path, found, about("plain", "residual")).read_text()
    assert "from 5.0 to 90.0 % in plain and 5.0 to 6.5 % in residual" in text
    assert "2 draws for each number" in text
    assert "change places, 1 to 2 times" in text
    assert "b1" in text


@pytest.mark.usefixtures("no_slides")
def test_surfaces_say_how_much_the_loss_rises(tmp_path):
    line = Line((-1.0, -0.5, 0.0, 0.5, 1.0), (9.0, 3.0, 1.0, 5.0, 9.0))
    plane = Plane((-1.0, 0.0, 1.0), ((3.0, 2.0, 3.0), (2.0, 0.1, 2.0), (3.0, 2.0, 30.0)))
    page = report.write_surfaces(tmp_path, {"net": [[line]]}, {"net": plane}, about("net"))
    text = page.read_text()
    assert "At 0.5 filter norms from the weights the loss is up by 3 nats in net" in text
    assert "The loss goes from 0.1 to 30 in net" in text
    assert "Over a plane" in text
    other = report.write_surfaces(tmp_path, {"net": [[line]]}, {}, about("net")).read_text()
    assert "Over a plane" not in other


def panel(**options):
    lines = [
        plots.Profile(name="plain", x=[1, 2], mean=[0.1, 2.0], low=[0.1, 1.0], high=[0.1, 3.0]),
        plots.Profile(name="residual", x=[1, 2], mean=[0.2, 0.4]),
    ]
    return plots.Panel(title="T", xlabel="layer", ylabel="std", profiles=lines, **options)


def test_lines_are_named_and_differ_without_colour():
    svg = plots.profiles([panel()], name="x", note="n = 3")
    assert {"plain", "residual", "layer", "std", "T", "n = 3"} <= set(words(svg))
    dashes = {e.attrib["style"] for e in ET.fromstring(svg).iter("path") if "style" in e.attrib}
    assert any("stroke-dasharray" in style for style in dashes)
    assert "currentColor" in svg
    assert svg == plots.profiles([panel()], name="x", note="n = 3")
    assert svg != plots.profiles([panel()], name="x", note="n = 3", narrow=True)


def test_a_network_has_the_same_line_in_every_figure():
    alone = plots.Panel(
        title="T",
        xlabel="x",
        ylabel="y",
        profiles=[plots.Profile(name="residual", x=[1, 2], mean=[1.0, 2.0])],
    )
    svg = plots.profiles([alone], name="x", note="", order=["plain", "residual"])
    assert "--series-2" in svg
    assert "--series-1" not in svg
    assert "plain" not in words(svg)


def test_logarithms_are_written_as_numbers():
    found = words(plots.profiles([panel(log=True)], name="x", note=""))
    assert {"0.1", "1"} <= set(found)


def test_points_that_are_not_joined_keep_their_range():
    apart = plots.Profile(name="a", x=[1, 0.5], mean=[1, 2], low=[0, 1], high=[2, 3], joined=False)
    shown = plots.Panel(
        title="", xlabel="x", ylabel="y", profiles=[apart], percent=True, whole=False, reverse=True
    )
    assert plots.profiles([shown], name="x", note="").startswith("<svg")


def test_heights_are_cut_at_one_two_and_five():
    assert levels([[[0.15, 30.0]]]) == pytest.approx([0.2, 0.5, 1, 2, 5, 10, 20])
    assert levels([[[0.5, 1.5]], [[1.0, 3.0]]]) == pytest.approx([1, 2])
    assert len(levels([[[1e-5, 1e6]]])) == 12
    assert levels([[[float("inf"), 1.0, 3.0]]]) == [2.0]


def test_contours_say_their_heights_and_a_flat_net_says_so():
    steep = [[3.0, 2.0, 3.0], [2.0, 0.1, 2.0], [3.0, 2.0, 3.0]]
    flat = [[1.5] * 3 for _ in range(3)]
    svg = plots.contours({"steep": steep, "flat": flat}, [-1, 0, 1], name="p", note="n = 1")
    found = words(svg)
    assert {"steep", "flat", "flat between all heights"} <= set(found)
    assert "1" in found
    picture, pixels = plots.contours_for_slides({"steep": steep}, [-1, 0, 1], note="n = 1")
    assert picture.startswith("<svg")
    assert pixels.startswith(b"\x89PNG")
