"""ResNet-20 and -56 trained by others classify CIFAR-10 exactly as well as they say.

Wrong padding, pooling or normalization would miss these counts by far.
"""

import pickle

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from residua.nets.cifar import CifarConfig
from residua.nets.convert import from_theirs, to_theirs
from residua.nets.infer import infer
from residua.nets.weights import load

RIGHT = {
    "resnet20-12fca82f.th": (CifarConfig(depth=20), 9_173),
    "resnet56-4bfd9763.th": (CifarConfig(depth=56), 9_339),
}


@pytest.mark.data
@pytest.mark.parametrize("name", RIGHT)
def test_checkpoints_get_as_many_right_as_their_authors_say(name, real_data):
    config, right = RIGHT[name]
    weights = real_data("resnet-cifar10") / name
    with (real_data("cifar-10-batches-py") / "test_batch").open("rb") as file:
        batch = pickle.load(file, encoding="bytes")
    images = torch.from_numpy(np.asarray(batch[b"data"]).reshape(-1, 3, 32, 32))
    labels = torch.tensor(batch[b"labels"])
    loaded = load(weights)
    assert loaded.config == config
    assert loaded.origin == "akamaster"
    count = 0
    with torch.inference_mode():
        for x, y in zip(images.split(500), labels.split(500), strict=True):
            count += int((loaded.net(loaded.preprocessing(x / 255)).argmax(1) == y).sum())
    assert abs(count - right) <= 2


@pytest.mark.parametrize("shortcut", ["A", "B"])
def test_weights_converted_there_and_back_are_the_same_bytes(shortcut):
    net = CifarConfig(depth=20, shortcut=shortcut).build()
    theirs = to_theirs(net, "akamaster")
    assert infer(theirs) == CifarConfig(depth=20, shortcut=shortcut)
    back = from_theirs(theirs, CifarConfig(depth=20, shortcut=shortcut).build())
    state = net.state_dict()
    assert all(back[name].numpy().tobytes() == state[name].numpy().tobytes() for name in state)


def test_option_a_there_pads_on_both_sides():
    """The converted weights in akamaster's own formula, written out, give our features."""
    net = CifarConfig(depth=8).build().eval()
    theirs = to_theirs(net, "akamaster")
    x = torch.randn(2, 3, 8, 8)

    def norm(y, name):
        stats = [theirs[f"{name}.{part}"] for part in ("running_mean", "running_var")]
        return F.batch_norm(y, *stats, theirs[f"{name}.weight"], theirs[f"{name}.bias"])

    y = norm(F.conv2d(x, theirs["conv1.weight"], padding=1), "bn1").relu()
    for stage, stride in ((1, 1), (2, 2), (3, 2)):
        block = f"layer{stage}.0"
        z = F.conv2d(y, theirs[f"{block}.conv1.weight"], stride=stride, padding=1)
        z = norm(z, f"{block}.bn1").relu()
        z = norm(F.conv2d(z, theirs[f"{block}.conv2.weight"], padding=1), f"{block}.bn2")
        if stride == 2:
            half = y.shape[1] // 2
            y = F.pad(y[:, :, ::2, ::2], (0, 0, 0, 0, half, half))
        y = (y + z).relu()
    logits = F.linear(y.mean((2, 3)), theirs["linear.weight"], theirs["linear.bias"])
    with torch.no_grad():
        torch.testing.assert_close(net(x), logits)
