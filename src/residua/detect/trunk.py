"""A classifier cut in two: what is computed once for a picture, and what for each region of it.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix A: conv1 to conv4_x are shared
        (stride 16), conv5_x and the average pooling run for each region.
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497, section 3: VGG-16, whose conv1 to conv5_3 are
        shared, and whose fc6 and fc7 run for each region.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nets.inputs import Input
from residua.nets.resnet import GlobalAverage, ResNet
from residua.nets.vgg import VGG
from residua.nn.chain import chain
from residua.nn.frozen import freeze

# Height and width that the last stage of a classifier of 224x224 pixels has.
SIDE = 7


@dataclass(frozen=True, kw_only=True)
class Trunk:
    """The two parts of a classifier, and their measures.

    Args:
        shared: N, 3, H, W to the features N, C, h, w; a chain.
        head: pooled features R, C, p, p to vectors R, D.
        firsts: the modules of `shared` up to C1, from there up to C2, and so on.
        channels: C.
        stride: of the features in pixels.
        pool_size: p for which the head ends in 7x7, before it averages.
        width: D.
        takes: the pictures that fit.
    """

    shared: nn.Sequential
    head: nn.Module
    firsts: tuple[tuple[nn.Module, ...], ...]
    channels: int
    stride: int
    pool_size: int
    width: int
    takes: Input


def cut(net: nn.Module) -> Trunk:
    """Cut a classifier before its last stage, or a VGG net before its last pooling.

    The parts are those of the net, not copies.

    Raises:
        ConfigError: it is neither, or its features are no maps.
    """
    if isinstance(net, ResNet):
        return _cut_resnet(net)
    if isinstance(net, VGG):
        return _cut_vgg(net)
    raise ConfigError(
        f"a detector is built on a ResNet or a VGG net, got {type(net).__name__} "
        "(`residua list` shows the nets)"
    )


def freeze_trunk(trunk: Trunk, stages: int, *, norms: bool) -> None:
    """Keep the first stages of a trunk as they are, and every batch normalization of it.

    Args:
        trunk: is changed.
        stages: 0 for none, 1 for the stem, 2 for the stem and the first stage (C2), ...
        norms: whether no batch normalization learns, and each uses the statistics that it has ([R]
            appendix A).

    Raises:
        ConfigError: there are not that many stages.
    """
    if not 0 <= stages <= len(trunk.firsts):
        raise ConfigError(
            f"freeze must be 0 to {len(trunk.firsts)}, the stages that the trunk shares, "
            f"got {stages}"
        )
    both = nn.ModuleList([trunk.shared, trunk.head])
    frozen = [module for modules in trunk.firsts[:stages] for module in modules]
    if norms:
        frozen += [module for module in both.modules() if isinstance(module, nn.BatchNorm2d)]
    freeze(both, frozen)


def _cut_resnet(net: ResNet) -> Trunk:
    *stages, last = net.stages
    named = {f"c{number}": stage for number, stage in enumerate(stages, start=2)}
    shared = chain(stem=net.stem, pool=net.pool, **named)
    body = chain(**{f"c{len(stages) + 2}": last}, last=net.last)
    channels, stride = _measure(shared, net.takes.channels, 64)
    width, head_stride = _measure(body, channels, SIDE)
    return Trunk(
        shared=shared,
        head=chain(**dict(body.named_children()), average=GlobalAverage()),
        firsts=((net.stem, net.pool), *((stage,) for stage in stages)),
        channels=channels,
        stride=stride,
        pool_size=SIDE * head_stride,
        width=width,
        takes=Input(channels=net.takes.channels, smallest=stride),
    )


def _cut_vgg(net: VGG) -> Trunk:
    parts: dict[str, nn.Module] = {}
    for number, group in enumerate(net.groups, start=1):
        parts[f"c{number}"] = group
        if number < len(net.groups):
            parts[f"pool{number}"] = net.pools[number - 1]
    shared = chain(**parts)
    channels, stride = _measure(shared, net.takes.channels, 64)
    layers = dict(net.head.named_children())
    classify = layers.popitem()[1]
    if not isinstance(classify, nn.Linear):
        raise ConfigError(f"the head of a VGG net ends in a linear layer, got {classify}")
    return Trunk(
        shared=shared,
        head=chain(flatten=nn.Flatten(), **layers),
        firsts=tuple((group,) for group in net.groups),
        channels=channels,
        stride=stride,
        pool_size=SIDE,
        width=classify.in_features,
        takes=Input(channels=net.takes.channels, smallest=stride),
    )


def _measure(part: nn.Module, channels: int, unit: int) -> tuple[int, int]:
    """Return the channels of the output and the stride in pixels, without computing anything.

    Args:
        part: from N, C, H, W to N, c, h, w.
        channels: C.
        unit: pixels; a multiple of the stride.
    """
    try:
        with torch.no_grad():
            small, large = (_shape(part, channels, unit * times) for times in (4, 8))
    except RuntimeError as error:
        raise ConfigError(
            f"a detector needs a net for pictures of any size, and this one fails: {error}"
        ) from None
    if len(small) != 4:
        raise ConfigError(
            f"a detector needs features N, C, H, W, got {len(small)} dimensions "
            "(fully connected nets have no places)"
        )
    stride, rest = divmod(4 * unit, max(large[2] - small[2], 1))
    if rest or large[2] <= small[2]:
        raise ConfigError(
            f"a detector needs a whole stride, but {4 * unit} pixels become "
            f"{large[2] - small[2]} places"
        )
    return small[1], stride


def _shape(part: nn.Module, channels: int, side: int) -> torch.Size:
    """Run a module on tensors that have a shape and nothing else."""
    held: dict[str, Tensor] = dict(part.named_parameters()) | dict(part.named_buffers())
    empty = {name: torch.empty_like(tensor, device="meta") for name, tensor in held.items()}
    pictures = torch.empty(1, channels, side, side, device="meta")
    return torch.func.functional_call(part, empty, (pictures,)).shape
