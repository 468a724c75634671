import json
from dataclasses import replace

import pytest
import torch

from fake_detector import fake
from residua.detect.given import AtHand
from residua.detect.testing import BASELINE
from residua.errors import ConfigError
from residua.lab.detection_ladder import measure_ladder, notes, page, ways

ONE = [[10.0, 10, 20, 20]]
PICTURES = AtHand([torch.zeros(3, 50, size, dtype=torch.uint8) for size in (60, 70, 60)])


def falling(left):
    return 1 - left / 100


def left_sides(found):
    """Stand in for a metric: where the detections are, and how many there are."""
    assert len(found) == 3
    boxes = torch.cat([each.boxes_D4 for each in found])
    return {"AP": float(boxes[:, 0].mean()), "count": float(len(boxes))}


def test_rungs_are_those_of_the_paper_in_its_order_and_each_keeps_what_was_added():
    rungs = ways([False, True, False])
    assert [way.name for way in rungs] == [
        "baseline",
        "+ box refinement",
        "+ box voting",
        "+ global context",
        "+ multi-scale testing",
        "+ ensemble of 3",
    ]
    testings = [way.testing for way in rungs]
    assert testings[0] == BASELINE
    assert testings[1] == replace(BASELINE, refine=True)
    assert testings[2] == testings[3] == replace(BASELINE, refine=True, vote=True)
    assert testings[4] == testings[5]
    assert testings[4].scales == (200, 400, 600, 800, 1000)
    assert testings[4].scale_side == 224
    assert [way.members for way in rungs] == [(0,), (0,), (0,), (1,), (1,), (0, 1, 2)]


def test_scales_are_in_proportion_to_the_pictures_that_were_learned_from():
    last = ways([False], short=120)[-1].testing
    assert last.scales == (40, 80, 120, 160, 200)
    assert last.scale_side == 45


@pytest.mark.parametrize(
    ("contexts", "names"),
    [
        ([False], ["baseline", "+ box refinement", "+ box voting", "+ multi-scale testing"]),
        ([True], ["baseline", "+ box refinement", "+ box voting", "+ multi-scale testing"]),
        (
            [True, False],
            [
                "baseline",
                "+ box refinement",
                "+ box voting",
                "+ global context",
                "+ multi-scale testing",
                "+ ensemble of 2",
            ],
        ),
    ],
)
def test_what_is_not_there_is_no_rung(contexts, names):
    rungs = ways(contexts)
    assert [way.name for way in rungs] == names
    assert rungs[0].members == (contexts.index(False) if False in contexts else 0,)


def test_what_is_not_measured_is_said():
    assert [note.partition(" ")[0] for note in notes([False])] == ["Global", "An"]
    assert [note.partition(" ")[0] for note in notes([True])] == ["Every", "An"]
    assert notes([False, True]) == []


def test_every_rung_is_measured_and_what_the_nets_do_is_shared():
    asked = fake(ONE, probability=falling)
    done = []
    ladder = measure_ladder([asked], PICTURES, left_sides, progress=lambda *it: done.append(it))
    assert [rung.name for rung in ladder.rungs] == [way.name for way in ways([False])]
    # Found at 11; refined: 12 is suppressed; voted: between them; at two scales: the same nets
    # are asked about a region at 10 and at 4/3 of that.
    voted = (0.9 * 11 + 0.89 * 12) / (0.9 + 0.89)
    lefts = [rung.numbers["AP"] for rung in ladder.rungs]
    assert lefts[:3] == pytest.approx([11, 11, voted], abs=1e-4)
    assert [rung.numbers["count"] for rung in ladder.rungs[:3]] == [3, 3, 3]
    assert [rung.detections for rung in ladder.rungs[:3]] == [1, 1, 1]
    # Three passes over two sizes of pictures: plain, refined, and five scales of which one is that
    # of the proposals; and one batch before these. Voting and values of suppression cost nothing.
    assert len(asked.net.seen) == 1 + 2 * (1 + 1 + 5)
    assert done[-1] == (9, 9)
    assert [total for _, total in done] == [9] * 6
    assert all(rung.seconds > 0 for rung in ladder.rungs)


def test_values_of_suppression_are_measured_with_refinement_and_voting():
    # Found at 11 and 16, refined at 12 and 17. The first overlaps the others by 5 / 15, 9 / 11 and
    # 4 / 16, the second the last by 9 / 11.
    two = [[10.0, 10, 20, 20], [15.0, 10, 25, 20]]
    ladder = measure_ladder([fake(two, probability=falling)], PICTURES, left_sides)
    counts = {rung.nms: rung.numbers["count"] for rung in ladder.suppressed}
    assert counts == {0.2: 3, 0.3: 6, 0.4: 6, 0.5: 6, 0.6: 6}


def test_several_detectors_are_context_and_ensemble():
    plain, seeing = fake(ONE), fake(ONE, step=0.3, context=True)
    ladder = measure_ladder([plain, seeing], PICTURES, left_sides)
    lefts = {rung.name: rung.numbers["AP"] for rung in ladder.rungs}
    assert lefts["+ box voting"] == pytest.approx(11.5)
    # From 10 to 13 and from there to 16: IoU 0.54, so they vote.
    assert lefts["+ global context"] == pytest.approx(14.5)


def test_no_detector():
    with pytest.raises(ConfigError):
        measure_ladder([], PICTURES, left_sides)


def test_the_page_the_figure_and_the_numbers_are_written(tmp_path):
    ladder = measure_ladder([fake(ONE, probability=falling)], PICTURES, left_sides)
    path = page(tmp_path, ladder, title="A fake on 3 pictures", device=torch.device("cpu"))
    text = path.read_text()
    assert "A fake on 3 pictures" in text
    for rung in ladder.rungs:
        assert rung.name in text
        assert f"{rung.numbers['AP']:.1f}" in text
    assert "An ensemble is not measured" in text
    assert "table 9" in text
    written = json.loads((tmp_path / "ladder.json").read_text())
    assert [rung["numbers"] for rung in written["rungs"]] == [r.numbers for r in ladder.rungs]
    assert (tmp_path / "figure.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "figure.svg").read_text().startswith("<svg")
