import pytest
import torch

from residua.errors import CheckpointError
from residua.train import checkpoint


def test_the_newest_checkpoint_is_loaded_and_two_are_kept(tmp_path):
    for iteration in (5, 10, 1000):
        checkpoint.save(tmp_path, iteration, {"iteration": iteration, "w": torch.ones(2)})
    assert len(list(tmp_path.glob("*.pt"))) == 2
    assert checkpoint.latest(tmp_path)["iteration"] == 1000


@pytest.mark.parametrize("damage", [b"", b"rubbish", None])
def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path, damage):
    checkpoint.save(tmp_path, 5, {"iteration": 5})
    newest = checkpoint.save(tmp_path, 10, {"iteration": 10, "w": torch.ones(1000)})
    newest.write_bytes(newest.read_bytes()[:2000] if damage is None else damage)
    assert checkpoint.latest(tmp_path)["iteration"] == 5


def test_no_checkpoint_is_said(tmp_path):
    with pytest.raises(CheckpointError, match="no whole checkpoint to resume from"):
        checkpoint.latest(tmp_path)


def test_a_checkpoint_of_another_version_is_not_called_damaged(tmp_path):
    checkpoint.save(tmp_path, 5, {"iteration": 5})
    with pytest.raises(CheckpointError, match="another version of Residua, which kept no pace"):
        checkpoint.latest(tmp_path, keys={"iteration", "pace"})
