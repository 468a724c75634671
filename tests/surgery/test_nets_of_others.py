"""The table of nets that `residualize` was tried on: of torchvision, of timm, and our plain ones.

Every one gets at least one shortcut, its output stays, in training mode too, and a training step
moves its gates. `pytest -s -m "slow or not slow" tests/surgery/test_nets_of_others.py` prints it.
"""

import copy
import sys

import pytest
import timm
import torch
import torchvision.models
from torch import nn
from torch.utils._pytree import tree_leaves

import residua
from residua.nets.catalogue import NETS, find
from residua.nn.gated import gated_sums
from residua.surgery.residualize import greatest_change, propose, residualize

slow = pytest.mark.slow
QUICK = {"init_weights": False}

TORCHVISION = [
    ("squeezenet1_0", 64, {}),
    ("squeezenet1_1", 32, {}),
    ("mobilenet_v3_large", 32, {}),
    ("mobilenet_v2", 32, {}),
    ("mobilenet_v3_small", 32, {}),
    ("shufflenet_v2_x0_5", 32, {}),
    ("mnasnet0_5", 32, {}),
    ("efficientnet_b0", 32, {}),
    ("googlenet", 64, QUICK | {"aux_logits": True}),
    ("densenet121", 32, {}),
    ("alexnet", 63, {}),
    pytest.param("vgg11", 32, QUICK, marks=slow),
    pytest.param("vgg13_bn", 32, QUICK, marks=slow),
    pytest.param("vgg16", 32, QUICK, marks=slow),
    pytest.param("vgg19_bn", 32, QUICK, marks=slow),
    pytest.param("inception_v3", 299, QUICK | {"aux_logits": True}, marks=slow),
    pytest.param("densenet169", 32, {}, marks=slow),
    pytest.param("efficientnet_v2_s", 32, {}, marks=slow),
]
TIMM = [
    ("lcnet_050", 32),
    ("mobilenetv1_100", 32),
    ("mobilenetv3_small_050", 32),
    ("mnasnet_small", 32),
    ("tinynet_e", 32),
    ("ese_vovnet19b_dw", 32),
    ("efficientnet_lite0", 32),
    ("hardcorenas_a", 32),
    pytest.param("vgg11", 32, marks=slow),
    pytest.param("densenet121", 32, marks=slow),
    pytest.param("inception_v3", 96, marks=slow),
    pytest.param("selecsls42", 64, marks=slow),
    pytest.param("mixnet_s", 32, marks=slow),
    pytest.param("ghostnet_050", 64, marks=slow),
]
SLOW_OURS = {
    *("cifar.plain110", "cifar.plain1202", "vgg.vgg16", "vgg.vgg19", "imagenet.plain34"),
    *("mnist.plain34_blog", "mnist.plain100", "mnist.plain100_blog", "mnist.plain100_printed"),
    "dense.plain100",
}
OURS = [name for name in NETS if ".plain" in name or name.startswith("vgg.")]
OURS_BY_COST = [pytest.param(n, marks=slow) if n in SLOW_OURS else n for n in OURS]


def tried(name, net, x, **options):
    """Residualize a net, and see what the table says of it; the net is trained a step."""
    found = propose(net, x, **options)
    new = residualize(net, x, plan=found.plan)
    change, largest = greatest_change(net, new, x)
    assert change <= 1e-6 * max(1.0, largest)
    in_training = same_in_training(net, new, x)
    moved = step(new, x)
    identities = sum(row.kind == "identity" for row in found.rows)
    sys.stdout.write(
        f"\n| {name} | {found.plan.way} | {len(found.rows)} | {identities} | {change:.1e} | "
        f"{in_training:.1e} | {moved} |"
    )
    assert len(gated_sums(new)) == len(found.rows) >= 1
    assert moved == len(found.rows)
    return found


def outputs(net, x):
    torch.manual_seed(5)
    with torch.no_grad():
        return tree_leaves(copy.deepcopy(net).train()(x))


def same_in_training(net, new, x):
    """Compare in training: batch statistics, dropout and all, of as many outputs."""
    pairs = list(zip(outputs(net, x), outputs(new, x), strict=True))
    scale = max(1.0, *(float(a.abs().max()) for a, _ in pairs))
    change = max(float((a - b).abs().max()) for a, b in pairs) / scale
    assert change <= 1e-5
    return change


def step(new, x):
    """Make one update; count the gates that moved."""
    torch.manual_seed(6)
    optimizer = torch.optim.SGD(residua.parameter_groups(new, weight_decay=1e-4), lr=0.01)
    loss = sum(
        nn.functional.cross_entropy(y, torch.tensor([0, 1])) for y in tree_leaves(new.train()(x))
    )
    loss.backward()
    optimizer.step()
    return sum(each.gate.item() != 0 for each in gated_sums(new).values())


def pictures(size):
    return torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize(("name", "size", "options"), TORCHVISION)
@pytest.mark.filterwarnings("ignore:The default weight initialization")
def test_of_torchvision(name, size, options):
    net = getattr(torchvision.models, name)(num_classes=10, **options)
    tried(f"torchvision {name}", net, pictures(size))


@pytest.mark.parametrize(("name", "size"), TIMM)
def test_of_timm(name, size):
    tried(f"timm {name}", timm.create_model(name, num_classes=10), pictures(size))


@pytest.mark.parametrize("name", OURS_BY_COST)
def test_of_ours(name):
    config = find(name)
    channels, size, _ = config.input_shape
    free = config.kind in {"cifar", "vgg", "imagenet"}
    x = torch.randn(2, channels, *(2 * [32 if size > 32 else 8 if free else size]))
    found = tried(name, config.build(), x, shortcut="A")
    if config.kind == "cifar":
        # A shortcut past every two layers, as in the residual twin.
        assert len(found.rows) == (config.depth - 2) // 2
        assert sum(row.kind == "A" for row in found.rows) == 2


def test_what_has_additions_everywhere_is_left_alone():
    with pytest.raises(residua.ConfigError, match="nothing can be bridged") as caught:
        residualize(torchvision.models.resnet18(num_classes=10), pictures(32))
    assert str(caught.value).count("has an addition already") == 9
