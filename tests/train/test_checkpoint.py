import pytest
import torch
from torch import nn

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


def test_weights_come_back_as_they_were(tmp_path):
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    checkpoint.save_weights(tmp_path / "w.safetensors", net, {"residua": "{}"})
    other = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
    checkpoint.load_weights(tmp_path / "w.safetensors", other)
    for name, value in net.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (nn.Linear(3, 2), r"weight is \(2, 4\) instead of \(2, 3\)"),
        (nn.Linear(4, 2, bias=False), "bias does not belong"),
        (nn.Sequential(nn.Linear(4, 2)), "0.weight is missing"),
    ],
)
def test_weights_of_another_net_are_refused_with_the_first_differing_keys(tmp_path, other, message):
    checkpoint.save_weights(tmp_path / "w.safetensors", nn.Linear(4, 2), {})
    with pytest.raises(CheckpointError, match=message):
        checkpoint.load_weights(tmp_path / "w.safetensors", other)


def test_missing_and_damaged_weights_are_said(tmp_path):
    with pytest.raises(CheckpointError, match="is missing"):
        checkpoint.load_weights(tmp_path / "w.safetensors", nn.Linear(4, 2))
    (tmp_path / "w.safetensors").write_bytes(b"rubbish")
    with pytest.raises(CheckpointError, match="not a whole safetensors file"):
        checkpoint.load_weights(tmp_path / "w.safetensors", nn.Linear(4, 2))
