"""Which runs are one group, what it is called, and which runs cannot be compared."""

import dataclasses

import pytest

import detector_record
from compared_runs import cut, train
from kept_runs import mine, other
from residua.comparison.groups import gather, together
from residua.errors import CheckpointError, ConfigError


def grouped(*folders):
    return together(gather(folders))


def test_seeds_are_one_group_and_other_settings_another(tmp_path):
    runs = [train(tmp_path, mine(), 5.0, seed=seed) for seed in (3, 1)]
    runs.insert(1, train(tmp_path, other(), 6.0, seed=1))
    first, second = grouped(*runs)
    assert (first.name, first.seeds) == ("A mine", (1, 3))
    assert (second.name, second.seeds) == ("B other", (1,))


def test_groups_of_a_recipe_are_named_after_what_differs(tmp_path):
    slow = dataclasses.replace(mine(), batch_size=4)
    runs = [train(tmp_path, mine(), 5.0), train(tmp_path, slow, 6.0, name="slow")]
    assert [group.label for group in grouped(*runs)] == [
        "mine, batch size 8",
        "mine, batch size 4",
    ]


def test_other_pictures_and_other_precision_are_other_groups(tmp_path):
    runs = [
        train(tmp_path, mine(), 5.0, seed=0),
        train(tmp_path, mine(), 5.0, seed=1, fingerprints=["a", "b", "z"]),
        train(tmp_path, mine(), 5.0, seed=2, environment={"precision": "bfloat16"}),
    ]
    assert [group.seeds for group in grouped(*runs)] == [(0,), (1,), (2,)]


def test_code_parts_a_group_only_where_a_seed_comes_twice(tmp_path):
    old = [train(tmp_path, mine(), 5.0, seed=seed) for seed in (0, 1)]
    new = {"environment": {"code": "def5678"}}
    third = train(tmp_path, mine(), 5.0, seed=2, **new)
    (group,) = grouped(*old, third)
    assert group.seeds == (0, 1, 2)
    again = train(tmp_path, mine(), 5.0, seed=0, name="again", **new)
    first, second = grouped(*old, third, again)
    assert (first.seeds, second.seeds) == ((0, 1), (0, 2))
    assert second.label == "mine, code def5678"


def test_a_seed_counts_once(tmp_path):
    runs = [train(tmp_path, mine(), 5.0, name=name) for name in ("one", "two")]
    (group,) = grouped(*runs)
    assert [run.folder.name for run in group.runs] == ["one"]
    assert [run.folder.name for run in group.repeated] == ["two"]


def test_one_run_alone_is_a_sentence(tmp_path):
    folder = train(tmp_path, mine(), 5.0)
    for folders in ([], [folder], [folder, tmp_path / "mine" / ".." / "mine" / "seed0"]):
        with pytest.raises(ConfigError, match="two runs or more"):
            gather(folders)


def test_a_run_without_an_end_is_a_sentence(tmp_path):
    runs = [train(tmp_path, mine(), 5.0), cut(train(tmp_path, other(), 5.0))]
    with pytest.raises(CheckpointError, match=r"not come to its end \(.*--resume"):
        gather(runs)


def test_a_classifier_with_a_detector_is_a_sentence(tmp_path):
    detector = detector_record.record(tmp_path / "detector", {"kind": "result", "time": 1420.0})
    with pytest.raises(ConfigError, match="that of a classifier"):
        gather([train(tmp_path, mine(), 5.0), detector])
