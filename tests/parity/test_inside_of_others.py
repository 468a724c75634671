"""Nets trained by others on CIFAR-10 look inside as the papers say that such nets do."""

import pickle
import statistics

import numpy as np
import pytest
import torch

from residua.analyze.closeness import closeness
from residua.analyze.lesion import deleted
from residua.analyze.responses import responses
from residua.nets.weights import load

NAMES = ("resnet20-12fca82f.th", "resnet56-4bfd9763.th")


@pytest.fixture
def shown(real_data):
    with (real_data("cifar-10-batches-py") / "test_batch").open("rb") as file:
        batch = pickle.load(file, encoding="bytes")
    images = torch.from_numpy(np.asarray(batch[b"data"][:128]).reshape(-1, 3, 32, 32))
    return images / 255, torch.tensor(batch[b"labels"][:128])


@pytest.mark.data
def test_the_deeper_net_responds_less_in_each_layer_and_adds_less_in_each_block(real_data, shown):
    stds, ratios = [], []
    for name in NAMES:
        loaded = load(real_data("resnet-cifar10") / name)
        inputs = [loaded.preprocessing(shown[0])]
        stds.append(statistics.median(responses(loaded.net, inputs).in_order))
        ratios.append(statistics.median(c.ratio for c in closeness(loaded.net, inputs)))
    # He et al. 2015, figure 7: here about 0.69 and 0.44.
    assert stds[1] < 0.8 * stds[0]
    assert ratios[1] < 0.8 * ratios[0] < 1


@pytest.mark.data
def test_a_deep_net_hardly_notices_that_one_block_is_gone(real_data, shown):
    loaded = load(real_data("resnet-cifar10") / NAMES[1])
    net, x = loaded.net.eval(), loaded.preprocessing(shown[0])

    def error():
        with torch.no_grad():
            return 100 * float((net(x).argmax(1) != shown[1]).float().mean())

    whole, without = error(), []
    for name in ("stages.0.5", "stages.1.3", "stages.2.4"):
        with deleted(net, [name]):
            without.append(error())
    assert max(without) < whole + 5
    with deleted(net, [f"stages.{s}.{b}" for s in range(3) for b in range(1, 9)]):
        assert error() > 60
