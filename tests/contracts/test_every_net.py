"""Every named network, at its full depth, through torch.fx, torch.export and torch.compile.

These take long and run with `pytest -m slow`; small nets of every family and block run always, in
test_nets.py.
"""

import copy

import pytest
import torch
from torch import fx, nn

from residua.nets.catalogue import NETS, find

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600)]

BATCH = torch.export.Dim("batch", min=2)


def built(name):
    """Build a net whose batch normalization has the statistics of one batch, in eval mode."""
    config = find(name)
    net = config.build()
    channels, height, width = config.input_shape
    smaller = height > 64 and config.kind == "imagenet"
    x = torch.randn(2, channels, *((64, 64) if smaller else (height, width)))
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        net.train()(x)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    return net.eval(), x


def assert_close(one, two):
    torch.testing.assert_close(one, two, rtol=1e-3, atol=1e-3 * two.abs().max().item())


@pytest.mark.parametrize("name", NETS)
@torch.no_grad()
def test_tracing_gives_the_same_logits(name):
    net, x = built(name)
    assert torch.equal(fx.symbolic_trace(copy.deepcopy(net))(x), net(x))


@pytest.mark.parametrize("name", NETS)
@torch.no_grad()
def test_export_gives_the_same_logits(name):
    net, x = built(name)
    program = torch.export.export(net, (x,), dynamic_shapes=({0: BATCH},))
    assert_close(program.module()(x), net(x))


@pytest.mark.parametrize("name", NETS)
@torch.no_grad()
def test_compilation_gives_the_same_logits(name):
    net, x = built(name)
    torch._dynamo.reset()
    assert_close(torch.compile(net, backend="aot_eager")(x), net(x))
