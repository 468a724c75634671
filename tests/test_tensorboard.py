import pytest

from residua import events, extras, tensorboard
from residua.errors import ConfigError, RunError
from test_execute import StopAt, resume, run, tiny

accumulator = pytest.importorskip(
    "tensorboard.backend.event_processing.event_accumulator", reason="tensorboard is not installed"
)


def drawn(folder, tag):
    found = accumulator.EventAccumulator(str(folder / tensorboard.FOLDER)).Reload()
    return [(scalar.step, pytest.approx(scalar.value)) for scalar in found.Scalars(tag)]


def test_the_epochs_are_drawn_as_they_are_recorded(tmp_path):
    folder = run(tiny(), listen=tensorboard.beside()).folder
    rows = events.history(events.read(folder))
    for tag, name in (("train/loss", "train_loss"), ("validation/error", "validation_error")):
        assert [(row["iteration"], row[name]) for row in rows] == drawn(folder, tag)
    result = events.result(events.read(folder))
    assert drawn(folder, "test/error") == [(12, result["test_error"])]


def test_a_resumed_run_draws_no_epoch_twice(tmp_path):
    with pytest.raises(RunError, match="interrupted"):
        run(tiny(), name="two", listen=tensorboard.beside(StopAt(9)))
    folder = resume("runs/tests.tiny/two", listen=tensorboard.beside()).folder
    assert [step for step, _ in drawn(folder, "train/loss")] == [4, 8, 12]


def test_without_the_package_the_line_that_adds_it_is_said(monkeypatch):
    monkeypatch.setattr(extras, "installed", lambda _: False)
    with pytest.raises(ConfigError, match=r'pip install "residua\[tensorboard\]"'):
        tensorboard.beside()
