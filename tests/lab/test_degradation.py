import dataclasses

from residua import events
from residua.lab.degradation import degradation, experiments


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


def test_the_study_trains_all_and_draws_a_page(tmp_path):
    plan = [experiment.smoke() for experiment in experiments((20,), range(2))]
    folder, results = degradation(plan, root=tmp_path)
    assert folder == tmp_path / "lab" / "degradation"
    assert len(results) == 4
    for result in results:
        assert events.result(events.read(result.folder))["test_error"] == result.test_error
    page = (folder / "report.html").read_text()
    assert "n = 2" in page
    again, _ = degradation(plan[:1], root=tmp_path)
    assert again.name == "degradation-2"
