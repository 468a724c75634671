"""The page of a comparison, and the curves on it."""

import re
from dataclasses import replace
from urllib.parse import unquote

import pytest

from compared_runs import train
from kept_runs import mine, other
from residua import plots
from residua.comparison import compare, write_comparison
from residua.comparison.curves import course, curves
from residua.comparison.page import chance, told
from residua.comparison.significance import contrast
from test_report import read


@pytest.fixture
def runs(tmp_path):
    root = tmp_path / "of them"
    runs = [train(root, mine(), 5.0 + seed, seed=seed) for seed in (0, 1, 2)]
    return runs + [train(root, other(), 6.0 + 2 * seed, seed=seed) for seed in (0, 1, 2)]


@pytest.fixture
def undrawn(monkeypatch):
    """Leave out the figures, which are looked at elsewhere."""
    monkeypatch.setattr(plots, "profiles", lambda *_, **__: "<svg/>")


def test_the_page_says_settings_before_numbers_before_curves(tmp_path, runs):
    path = write_comparison(tmp_path / "runs", compare(runs))
    html = path.read_text()
    text = read(html)
    places = [html.index(f'id="{name}"') for name in ("settings", "numbers", "sure", "courses")]
    assert places == sorted(places)
    assert "schedule.lr 0.1 0.05" in text
    assert "6.00 ± 1.00 8.00 ± 2.00 one view of each picture; 360 images" in text
    # Half the width is 4.3027 / sqrt(3) = 2.48.
    assert "B other 3 against 3 +2.00 -0.48 to +4.48 0.074 paired t-test, by seed" in text
    assert "A 3, B 3 trainings; lines are means" in text
    assert "<script" not in html


@pytest.mark.usefixtures("undrawn")
def test_every_number_leads_to_its_record_settings_code_and_command(tmp_path, runs):
    path = write_comparison(tmp_path / "runs", compare(runs))
    html = path.read_text()
    links = re.findall(r'<a href="([^"]+)">(\w+)</a>', html)
    assert [words for _, words in links] == ["settings", "record"] * 6
    for address, _ in links:
        assert (path.parent / unquote(address)).is_file(), address
    assert "code abc1234" in html
    assert "residua train mine --seed 2" in html
    # A run with a page has a link to it as well.
    (runs[0] / "report.html").write_text("")
    again = write_comparison(tmp_path / "runs", compare(runs))
    assert again == path
    assert again.read_text().count(">page</a>") == 1


@pytest.mark.usefixtures("undrawn")
def test_other_runs_have_another_page(tmp_path, runs):
    one, two = (write_comparison(tmp_path / "runs", compare(some)) for some in (runs, runs[:4]))
    assert one != two


@pytest.mark.usefixtures("undrawn")
def test_warnings_are_on_the_page(tmp_path, runs):
    added = train(tmp_path, other(), 5.0, seed=9, environment={"code": "def5678"})
    html = write_comparison(tmp_path / "runs", compare([*runs, added])).read_text()
    assert "Mind where these runs are not alike" in html
    assert "other code (A, B abc1234; B def5678)" in html


def test_a_course_is_mean_and_range_where_all_looked(tmp_path):
    looks = [
        ((2, 40.0, 50.0), (4, 20.0, 30.0), (6, 1.0, 1.0)),
        ((2, 60.0, 70.0), (4, float("nan"), 10.0)),
    ]
    runs = [
        train(tmp_path, mine(), 5.0, seed=seed, epochs=epochs) for seed, epochs in enumerate(looks)
    ]
    (group,) = compare(runs).groups
    found = course(group, "validation_error")
    assert (found.x, found.mean) == ([2, 4], [60.0, 20.0])
    assert (found.low, found.high) == ([50.0, 10.0], [70.0, 30.0])
    # A loss that is no number is left out.
    assert course(group, "train_error").x == [2]
    assert course(group, "validation_map") is None


def test_many_groups_are_drawn_five_at_a_time_with_the_first(monkeypatch, tmp_path, runs):
    drawn = []
    monkeypatch.setattr(plots, "profiles", lambda panels, **how: drawn.append(how["order"]) or "")
    more = [train(tmp_path, replace(mine(), name=f"net{i}"), 5.0) for i in range(5)]
    assert len(curves(compare([*runs, *more]))) == 2
    assert drawn[0] == ["A mine", "B other", "C net0", "D net1", "E net2"]
    assert drawn[2] == ["A mine", "F net3", "G net4"]


def test_a_line_is_named_by_what_tells_it_from_others(tmp_path):
    long = replace(mine(), name="a_recipe_of_a_long_name")
    slow = replace(long, batch_size=4)
    folders = [train(tmp_path, long, 5.0), train(tmp_path, slow, 5.0, name="slow")]
    folders.append(train(tmp_path, replace(mine(), name="b" * 40), 5.0))
    groups = compare(folders).groups
    names = [course(group, "train_error").name for group in groups]
    assert names == ["A batch size 8", "B batch size 4", f"C {'b' * 21}…"]
    costly = replace(groups[0], label="of $1 and $2")
    assert course(costly, "train_error").name == r"A of \$1 and \$2"


def test_chances_are_written_with_what_is_known_of_them():
    assert [chance(p) for p in (0.00001, 0.0123, 0.0999, 0.5, float("nan"))] == [
        "< 0.001",
        "0.012",
        "0.1",
        "0.50",
        "",
    ]
    assert told(contrast({0: 1.0}, {0: 2.0})) == (
        "+1.00",
        "",
        "",
        "n = 1 and 1: no test with fewer than two seeds of each",
    )
