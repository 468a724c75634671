"""Small nets and pictures to look at."""

import copy

import torch
import torch.nn.functional as F
from torch import nn

from residua.data.loading import Batch
from residua.nets.cifar import resnet
from residua.runtime import generator


def pictures(count, channels=3, size=8, seed=0):
    random = generator(seed, "pictures")
    images = torch.randn(count, channels, size, size, generator=random)
    return Batch(images, torch.randint(10, (count,), generator=random))


def loss(net, batch):
    return F.cross_entropy(net(batch.images), batch.labels)


def settled(depth=8, shortcut="A", **options):
    """A net with running statistics of its own pictures, and scales that differ."""
    torch.manual_seed(depth)
    net = resnet(depth, shortcut=shortcut, **options)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.3, 0.3)
    net.train()
    with torch.no_grad():
        for seed in range(3):
            net(pictures(32, seed=seed).images)
    return net


def snapshot(net):
    """Everything that a look must leave as it was."""
    state = {name: value.clone() for name, value in copy.deepcopy(net.state_dict()).items()}
    modes = {name: module.training for name, module in net.named_modules()}
    wanted = {name: p.requires_grad for name, p in net.named_parameters()}
    grads = {name: p.grad for name, p in net.named_parameters()}
    hooks = [
        (len(m._forward_hooks), len(m._forward_pre_hooks), "forward" in vars(m))
        for m in net.modules()
    ]
    tracks = [getattr(m, "track_running_stats", None) for m in net.modules()]
    return state, modes, wanted, grads, hooks, tracks


def assert_same(one, other):
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(one[0][name], other[0][name]) for name in one[0])
    assert one[1:] == other[1:]
