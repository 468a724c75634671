"""Weights of other libraries to ours and back, refused where the two nets are not the same.

Names are in `residua.nets.names`; here is what names do not say: where the stride stands, how the
pooling rounds, which statistics are missing, and what pictures the weights were trained on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from residua.errors import CheckpointError
from residua.nets.names import Origin, recognise, their_names
from residua.nets.preprocessing import IMAGENET, MSRA, VGG_CAFFE, Preprocessing
from residua.nets.reorder import inverse, padded_on_both_sides, reorder
from residua.nets.resnet import ResNet
from residua.nn.blocks import GatedBlock, HighwayBlock, PlainBlock, ResidualBlock, StochasticBlock
from residua.nn.frugal import FrugalReLU
from residua.nn.shortcuts import FixedProjection, Scale, ZeroPad

BLOCKS = (ResidualBlock, PlainBlock, StochasticBlock, GatedBlock, HighwayBlock)


@dataclass(frozen=True)
class Convention:
    """What a library's nets have in common beyond their names.

    Attributes:
        title: the library as a reader knows it.
        preprocessing: of the pictures.
        stride_on: where its bottlenecks have the stride; None where both occur.
        pool_rounding: of the max-pooling after the stem; None where there is none, or both occur.
    """

    title: str
    preprocessing: Preprocessing
    stride_on: Literal["1x1", "3x3"] | None = None
    pool_rounding: Literal["floor", "ceil"] | None = None


CONVENTIONS: dict[Origin, Convention] = {
    "torchvision": Convention("torchvision or timm", IMAGENET, "3x3", "floor"),
    "akamaster": Convention("akamaster/pytorch_resnet_cifar10", IMAGENET),
    "detectron2": Convention("detectron2", MSRA, None, "floor"),
    "detectron": Convention("Detectron's conversion of MSRA's nets", MSRA, "1x1", "floor"),
    "caffe": Convention("MSRA's Caffe release", MSRA, "1x1", "ceil"),
    "torchvision_vgg": Convention("torchvision", IMAGENET),
    "timm_vgg": Convention("timm", IMAGENET),
    "caffe_vgg": Convention("the VGG group's Caffe release", VGG_CAFFE),
}


def origin_of(state: Mapping[str, Tensor]) -> Origin:
    """Tell which library weights are from.

    Raises:
        CheckpointError: none that is known; says what the names look like.
    """
    origin = recognise(state)
    if origin is not None:
        return origin
    if any(name.startswith("stages.0.blocks.0.norm1") for name in state):
        raise CheckpointError(
            "these are weights of timm's resnetv2, which pools before its first BN-ReLU where the "
            "published pre-activation nets pool after it: no net here computes the same"
        )
    some = ", ".join(list(state)[:3])
    titles = sorted({convention.title for convention in CONVENTIONS.values()})
    raise CheckpointError(
        f"weights of unknown origin: {len(state)} arrays such as {some}; missing are the names of "
        f"any of {'; '.join(titles)}; or of Residua itself (stem.conv.weight, stages.0.0. ...)"
    )


def from_theirs(
    state: Mapping[str, Tensor], net: nn.Module, *, head: bool = True
) -> dict[str, Tensor]:
    """Convert foreign weights into a state dict of a network of ours.

    Args:
        state: their names and arrays.
        net: of ours, into which the result will be loaded; stays as it is.
        head: whether the last linear layer must come along. Without it, the net's own stays:
            for other classes, or weights of a detector, which has none.

    Raises:
        CheckpointError: unknown origin; another architecture (the first names that are missing,
            left over or of another shape are listed); or the same shapes for another computation.
    """
    origin = origin_of(state)
    check_computation(net, origin)
    ours = net.state_dict()
    table = their_names(list(ours), origin)
    result = {name: value.clone() for name, value in ours.items() if name not in table}
    faults: list[str] = []
    used: set[str] = set()
    for name, theirs in table.items():
        used.add(theirs)
        if not head and name.startswith("head."):
            result[name] = ours[name].clone()
        elif theirs not in state:
            if not name.endswith("num_batches_tracked"):
                faults.append(f"{theirs} is missing")
            result[name] = torch.zeros_like(ours[name])
        else:
            value = state[theirs]
            if not _same_layer(value, ours[name], origin):
                faults.append(f"{theirs} is {_shape(value)}, the net has {_shape(ours[name])}")
            else:
                result[name] = value.reshape(ours[name].shape).to(ours[name].dtype)
    extra = [name for name in state if head and name not in used]
    faults += [f"{n} has no place" for n in extra if not n.endswith("num_batches_tracked")]
    if faults:
        shown = "; ".join(faults[:4]) + (f"; and {len(faults) - 4} more" if faults[4:] else "")
        raise CheckpointError(
            f"recognised weights of {CONVENTIONS[origin].title}, of another net: {shown}"
        )
    if origin == "detectron":
        return _with_statistics(result, net)
    return reorder(result, orders) if (orders := _orders(net, origin)) else result


def to_theirs(net: nn.Module, origin: Origin) -> dict[str, Tensor]:
    """Convert the weights of a network of ours into the names of another library.

    Raises:
        CheckpointError: the library cannot express the network.
    """
    check_computation(net, origin)
    state = net.state_dict()
    if origin == "detectron":
        state = _folded_statistics(net)
    if orders := _orders(net, origin):
        state = reorder(state, inverse(orders))
    table = their_names(list(state), origin)
    return {theirs: _their_shape(theirs, state[ours], origin) for ours, theirs in table.items()}


def _orders(net: nn.Module, origin: Origin) -> list[Tensor]:
    """Give the order of channels in the other library, where option A makes it another one."""
    if origin != "akamaster" or not any(isinstance(m, ZeroPad) for m in net.modules()):
        return []
    norms = _norms(net)
    last = [max(n for n in norms if n.startswith(f"stages.{stage}.")) for stage in range(3)]
    return padded_on_both_sides([norms[name].num_features for name in last])


def check_computation(net: nn.Module, origin: Origin) -> None:
    """Refuse two nets whose weights have the same shapes and that compute different things.

    Raises:
        CheckpointError: this net computes otherwise than those of the library.
    """
    convention = CONVENTIONS[origin]
    if not isinstance(net, ResNet):
        return
    if not isinstance(net.last, nn.Identity):
        raise CheckpointError(f"{convention.title} cannot express a pre-activation net")
    _check_blocks(net, origin)
    stride, wanted = stride_position(net), convention.stride_on
    if wanted and stride and stride != wanted:
        raise CheckpointError(
            f"weights of {convention.title} have the stride on the {wanted} convolution, this net "
            f"on the {stride}: the shapes fit, the results would not (build the net with "
            f"stride_on={wanted!r})"
        )
    rounding = pool_rounding(net)
    if convention.pool_rounding and rounding != convention.pool_rounding:
        raise CheckpointError(
            f"weights of {convention.title} expect max-pooling that rounds "
            f"{'up' if convention.pool_rounding == 'ceil' else 'down'}, this net has "
            f"{rounding or 'none'} (build the net with pool_rounding={convention.pool_rounding!r})"
        )


def _check_blocks(net: ResNet, origin: Origin) -> None:
    """Refuse blocks that other libraries' classes do not compute."""
    blocks = [module for module in net.stages.modules() if type(module) in BLOCKS]
    for block in blocks:
        odd = [m for m in block.modules() if isinstance(m, Scale | nn.ZeroPad2d | FixedProjection)]
        if origin != "akamaster":
            odd += [m for m in block.modules() if isinstance(m, ZeroPad)]
        is_post = isinstance(block, ResidualBlock) and isinstance(block.after, FrugalReLU)
        last = [*block.residual.children()][-1] if isinstance(block, ResidualBlock) else None
        if odd or not is_post or not isinstance(last, nn.BatchNorm2d):
            what = type(odd[0]).__name__ if odd else type(block).__name__
            raise CheckpointError(
                f"{CONVENTIONS[origin].title} cannot express this net: it has no block that adds a "
                f"post-activation residual to an identity or a projection, but {what}"
            )


def stride_position(net: ResNet) -> Literal["1x1", "3x3"] | None:
    """Tell where the bottlenecks of a network have their stride; None if there is no choice."""
    for name, module in net.stages.named_modules():
        inside = name.endswith(("residual.conv1", "residual.conv2"))
        if inside and isinstance(module, nn.Conv2d) and module.stride != (1, 1):
            parent = net.stages.get_submodule(name.rpartition(".")[0])
            if getattr(parent, "conv3", None) is None:
                return None
            return "1x1" if module.kernel_size == (1, 1) else "3x3"
    return None


def pool_rounding(net: ResNet) -> Literal["floor", "ceil"] | None:
    """Tell how the max-pooling after the stem rounds; None if there is none."""
    if not isinstance(net.pool, nn.MaxPool2d):
        return None
    return "ceil" if net.pool.ceil_mode else "floor"


def _same_layer(theirs: Tensor, ours: Tensor, origin: Origin) -> bool:
    if theirs.shape == ours.shape:
        return True
    # timm has VGG's linear layers as convolutions; Caffe gives vectors leading ones.
    flat = origin in ("timm_vgg", "caffe", "caffe_vgg")
    return flat and theirs.squeeze().flatten(1 if theirs.squeeze().ndim > 1 else 0).shape == (
        ours.squeeze().shape
    )


def _their_shape(name: str, value: Tensor, origin: Origin) -> Tensor:
    if origin == "timm_vgg" and name == "pre_logits.fc1.weight":
        return value.reshape(len(value), -1, 7, 7)
    if origin == "timm_vgg" and name == "pre_logits.fc2.weight":
        return value[:, :, None, None]
    return value


def _norms(net: nn.Module) -> dict[str, nn.BatchNorm2d]:
    modules = net.named_modules()
    return {name: module for name, module in modules if isinstance(module, nn.BatchNorm2d)}


def _with_statistics(state: dict[str, Tensor], net: nn.Module) -> dict[str, Tensor]:
    """Give a scale and a shift the statistics with which batch norm is just that: 0 and 1 - eps."""
    for name, module in _norms(net).items():
        zeros = torch.zeros_like(state[f"{name}.running_mean"])
        state[f"{name}.running_mean"] = zeros
        state[f"{name}.running_var"] = zeros + (1 - module.eps)
    return state


def _folded_statistics(net: nn.Module) -> dict[str, Tensor]:
    """Fold the statistics of batch norm into its scale and shift, as Detectron keeps them."""
    state = dict(net.state_dict())
    for name, module in _norms(net).items():
        weight, bias, mean, var = (
            state[f"{name}.{part}"] for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = weight / torch.sqrt(var + module.eps)
        state[f"{name}.weight"], state[f"{name}.bias"] = scale, bias - mean * scale
    return state


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "a number"
