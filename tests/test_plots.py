import re
import xml.etree.ElementTree as ET
from functools import cache

import matplotlib as mpl
import pytest

from residua import plots
from residua.plots import detection
from residua.plots.axes import _apart

CURVE = [(8, 80.0), (16, 20.0), (24, 5.0), (32, 0.0)]
HIGHER = [(8, 85.0), (16, 30.0), (24, 9.0), (32, 2.5)]


def band(*values):
    return plots.Band(mean=values, low=[v - 1 for v in values], high=[v + 1 for v in values])


def network(name, depth, *values):
    iterations = range(10, 10 * len(values) + 1, 10)
    return plots.Network(name, depth, iterations, band(*values), band(*values))


PANELS = {
    "plain": [network("plain-20", 20, 80.0, 2.0), network("plain-56", 56, 80.0, 44.25)],
    "residual": [network("ResNet-20", 20, 70.0, 1.5), network("ResNet-56", 56, 75.0, 1.25)],
}


def class_curve(name, ap):
    return plots.PrecisionRecall(name, [ap / 100] * 50 + [0.1] * 51, ap, 12)


def words(svg):
    return [element.text for element in ET.fromstring(svg).iter("text")]


@cache
def every_figure():
    return {
        "errors": plots.errors(CURVE, HIGHER, until=40, test=(32, 1.1)),
        "losses": plots.losses(CURVE, HIGHER, until=40),
        "rates": plots.rates([(0, 0.1), (40, 0.0)], [(7, 0.08)], until=40),
        "confusion": plots.confusion([[3, 1], [0, 4]], ["cat", "dog"]),
        "depths": plots.depths(
            {"plain": {20: (0, 1), 56: (40, 42)}, "residual": {20: (0, 1)}}, [20, 56]
        ),
        "degradation": plots.degradation(PANELS, note="n = 1", until=20),
        "precision-recall": plots.precision_recall(
            [class_curve("cat", 70), class_curve("dog", 40)]
        ),
        "stacked": plots.degradation(PANELS, note="n = 1", until=20, stacked=True),
    }


def test_a_figure_for_a_page_follows_its_colours_and_needs_nothing_from_outside():
    for name, svg in every_figure().items():
        assert ET.fromstring(svg).tag == "svg", name
        assert "currentColor" in svg, name
        assert "var(--font" in svg, name
        assert "http" not in svg, name
        assert not re.search(r"(?<!, )#[0-9a-f]{6}", svg), f"{name} has a colour of its own"


def test_identifiers_are_unique_over_all_figures_of_a_page():
    found = [
        element.attrib["id"]
        for svg in every_figure().values()
        for element in ET.fromstring(svg).iter()
        if "id" in element.attrib
    ]
    assert found
    assert len(found) == len(set(found))


def test_every_reference_inside_a_figure_has_its_target():
    for name, svg in every_figure().items():
        root = ET.fromstring(svg)
        targets = {element.attrib.get("id") for element in root.iter()}
        used = re.findall(r'(?:url\(#|href="#)([^)"]+)', svg)
        assert set(used) <= targets, name


def test_the_same_numbers_give_the_same_bytes_and_leave_no_settings_behind():
    before = dict(mpl.rcParams)
    assert every_figure.__wrapped__() == every_figure()
    assert plots.degradation_for_slides(PANELS, note="n = 1", until=20) == (
        plots.degradation_for_slides(PANELS, note="n = 1", until=20)
    )
    assert dict(mpl.rcParams) == before


def test_the_readers_own_settings_do_not_change_a_figure():
    plain = plots.errors(CURVE, HIGHER, until=40)
    with mpl.rc_context({"font.size": 30, "lines.color": "red", "svg.fonttype": "path"}):
        assert plots.errors(CURVE, HIGHER, until=40) == plain


def test_errors_that_fall_near_zero_are_drawn_logarithmically_above_one_percent():
    assert {"0", "1", "10", "100"} <= set(words(plots.errors(CURVE, HIGHER, until=40)))
    flat = words(plots.errors([(8, 80.0), (16, 70.0)], [(8, 80.0)], until=40))
    assert "60" in flat
    assert "1" not in flat


def test_lines_are_labelled_with_where_they_end():
    found = words(plots.errors(CURVE, HIGHER, until=40, test=(32, 1.125)))
    assert {"training 0.0 %", "validation 2.5 %", "test 1.1 %"} <= set(found)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_left_out(bad):
    losses = plots.losses([(8, 2.0), (16, bad)], [(8, bad)], until=40)
    assert "training 2" in words(losses)
    assert "nan" not in losses
    assert "inf" not in losses


def test_a_single_point_is_drawn_as_a_dot():
    assert plots.errors([(8, 80.0)], [(8, 90.0)], until=8).count("<use") > (
        plots.errors([(4, 80.0), (8, 80.0)], [(4, 90.0), (8, 90.0)], until=8).count("<use")
    )


def test_class_names_are_shown_as_they_are_cut_and_never_as_markup():
    names = ["<script>x</script>", "$x^2$", "台風", "a name that goes on and on"]
    svg = plots.confusion([[1, 0, 0, 0]] * 4, names)
    assert "<script" not in svg
    assert {"<script>x</sc…", "$x^2$", "台風", "a name that g…"} <= set(words(svg))


def test_only_counts_above_zero_are_written_into_a_confusion_matrix():
    found = words(plots.confusion([[30, 2], [0, 31]], ["cat", "dog"]))
    assert {"30", "2", "31"} <= set(found)
    assert "0" not in found


def test_the_degradation_figure_names_networks_ends_and_n():
    found = " ".join(words(plots.degradation(PANELS, note="n = 5 trainings", until=20)))
    assert "plain-56  44.2 %" in found
    assert "ResNet-20  1.5 %" in found
    assert "n = 5 trainings" in found
    assert "iterations" in found
    assert "error (%)" in found


def test_the_figure_for_slides_stands_alone_on_white():
    svg, png = plots.degradation_for_slides(PANELS, note="n = 1", until=20)
    root = ET.fromstring(svg)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root[0].attrib["fill"] == "#ffffff"
    assert "var(" not in svg
    assert not list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20]) == 1920


def test_one_family_alone_leaves_the_other_panel_empty():
    found = words(plots.degradation({**PANELS, "residual": []}, note="n = 1", until=20))
    assert "no run" in found


@pytest.mark.parametrize(
    ("heights", "expected"),
    [
        ([], []),
        ([0.5], [0.5]),
        ([0.0, 0.0, 0.0], [0.0, 0.1, 0.2]),
        ([0.1, 0.9], [0.1, 0.9]),
        ([1.0, 1.0], [0.9, 1.0]),
    ],
)
def test_labels_are_moved_apart_no_further_than_they_must(heights, expected):
    assert _apart(heights, 0.1) == pytest.approx(expected)


def test_precision_and_recall_have_a_panel_of_each_class_and_one_of_the_mean():
    found = words(plots.precision_recall([class_curve("cat", 70.04), class_curve("dog", 40.0)]))
    assert {"mean of 2 classes", "cat", "dog"} <= set(found)
    assert {"AP 55.0 %", "AP 70.0 %", "AP 40.0 %", "24 objects"} <= set(found)


def test_one_class_has_one_panel_and_of_many_those_with_the_smallest_precision(monkeypatch):
    alone = words(plots.precision_recall([class_curve("cat", 70)], note="IoU 0.5"))
    assert (alone.count("AP 70.0 %"), "recall (%).  IoU 0.5" in alone) == (1, True)
    monkeypatch.setattr(detection, "MOST_PANELS", 4)
    many = words(plots.precision_recall([class_curve(f"class {i}", 90 - i) for i in range(6)]))
    assert [text for text in many if text.startswith(("mean", "class"))] == [
        "mean of 6 classes",
        "class 5",
        "class 4",
        "class 3",
    ]


def test_a_narrow_figure_has_its_panels_in_two_columns():
    curves = [class_curve(f"class {i}", 90 - i) for i in range(5)]
    wide, narrow = (plots.precision_recall(curves, narrow=it) for it in (False, True))
    sizes = [
        [float(n) for n in svg.partition('viewBox="')[2].split('"')[0].split()[2:]]
        for svg in (wide, narrow)
    ]
    assert sizes[1][0] < 0.6 * sizes[0][0]
    assert sizes[1][1] > 1.3 * sizes[0][1]
    assert {it for it in words(wide) if "class" in it} == {
        it for it in words(narrow) if "class" in it
    }
