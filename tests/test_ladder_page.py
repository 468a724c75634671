import json
import xml.etree.ElementTree as ET

import pytest

from residua import plots, report
from residua.errors import RunError
from residua.report.ladder import Ladder, Rung, finding, steps


def rung(name, half, all_, nms=0.3):
    return Rung(
        name=name,
        does=f"{name} does it.",
        nms=nms,
        numbers={"AP@.5": half, "AP@[.5,.95]": all_},
        seconds=0.25,
        detections=12.0,
    )


PAPER = [
    rung("baseline", 48.4, 27.2),
    rung("+ box refinement", 49.9, 29.9),
    rung("+ global context", 51.1, 30.0),
    rung("+ multi-scale testing", 53.8, 32.5),
]


def ladder(rungs=PAPER, suppressed=()):
    return Ladder(rungs=rungs, suppressed=suppressed, pictures=40000, notes=["No ensemble."])


def write(folder, found):
    return report.write_ladder(
        folder, found, title="ResNet-101 on COCO val", environment={"torch": "2"}, command="residua"
    )


def words(svg):
    return [element.text for element in ET.fromstring(svg).iter("text")]


def test_the_finding_says_what_the_ladder_gains_and_where_most_of_it():
    assert finding(ladder()) == (
        "AP@.5 from 48.4 to 53.8 %: +5.4 points, the most by multi-scale testing (+2.7)"
    )


def test_a_ladder_that_loses_is_not_said_to_gain():
    worse = [PAPER[1], rung("+ box voting", 47.9, 28.0)]
    assert finding(ladder(worse)) == (
        "AP@.5 from 49.9 to 47.9 %: -2.0 points, no rung of which gains"
    )


def test_a_rung_alone_is_its_number():
    assert finding(ladder(PAPER[:1])) == "AP@.5 48.4 %"


def test_every_rung_is_compared_with_the_one_before():
    changes = [change["AP@.5"] for _, change in steps(ladder())]
    assert changes == pytest.approx([0, 1.5, 1.2, 2.7])


def test_the_page_has_numbers_changes_and_the_papers_own(tmp_path):
    some = [rung("x", 50 + i, 30.0, nms=nms) for i, nms in enumerate((0.3, 0.5))]
    text = write(tmp_path, ladder(suppressed=some)).read_text()
    assert "53.8 (+2.7)" in text
    assert "48.4<" in text
    assert "No ensemble." in text
    assert "How much overlap is left" in text
    assert "<script" not in text
    assert "http" not in text.replace("https://arxiv.org", "").replace("http-equiv", "")
    assert json.loads((tmp_path / "ladder.json").read_text())["pictures"] == 40000


def test_without_values_of_suppression_there_is_no_such_section(tmp_path):
    assert "How much overlap is left" not in write(tmp_path, ladder()).read_text()


def test_no_rung_is_no_ladder(tmp_path):
    with pytest.raises(RunError, match="at least one rung"):
        write(tmp_path, ladder([]))


def drawn(**options):
    names = [each.name for each in PAPER]
    values = {"AP@.5": [r.numbers["AP@.5"] for r in PAPER]}
    return plots.ladder(names, values, note="40,000 pictures", **options)


def test_the_figure_names_rungs_and_values_and_follows_the_page():
    found = words(drawn())
    assert {"baseline", "+ multi-scale testing", "48.4", "53.8", "AP@.5"} <= set(found)
    assert "40,000 pictures" in " ".join(found)
    assert "currentColor" in drawn()
    assert drawn() == drawn()
    assert drawn() != drawn(narrow=True)


def test_the_first_rung_is_on_top():
    texts = ET.fromstring(drawn()).iter("text")
    heights = {text.text: float(text.attrib["y"]) for text in texts}
    names = [each.name for each in PAPER]
    assert sorted(names, key=heights.__getitem__) == names
