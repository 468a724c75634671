"""The parts of a net from its input to its head, and what each of them is trained with.

Sources:
    [U] Howard and Ruder, Universal Language Model Fine-tuning, arXiv:1801.06146, section 3.2:
        discriminative rates.
"""

from itertools import chain
from typing import Any

from torch import nn
from torch.nn import Parameter

from residua.errors import ConfigError
from residua.nn.frozen import freeze
from residua.nn.gated import GatedSum

NORMS = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm, nn.LayerNorm)


def parts(net: nn.Module) -> list[list[nn.Module]]:
    """List the parts of a net that have parameters, the head last.

    A net of ours has its stem, each of its stages, and its head (with what stands between). Of any
    other net, each child that has parameters is a part.
    """
    stages = getattr(net, "stages", None)
    if isinstance(stages, nn.Sequential):
        children = dict(net.named_children())
        before = [children.pop("stem"), children.pop("pool", nn.Identity())]
        del children["stages"]
        found = [before, *([stage] for stage in stages), list(children.values())]
    else:
        found = [[child] for child in net.children()]
    return [part for part in found if _parameters(part)]


def freeze_first(net: nn.Module, count: int) -> None:
    """Keep the first parts of a net as they are; see `parts` and `residua.nn.frozen`.

    Raises:
        ConfigError: nothing would be left to train, or the count is negative.
    """
    found = parts(net)
    if count and not 0 <= count < len(found):
        raise ConfigError(
            f"optimizer.freeze must be in [0, {len(found)}): the net has {len(found)} parts, got "
            f"{count}"
        )
    freeze(net, chain.from_iterable(found[:count]))


def groups(
    net: nn.Module,
    *,
    weight_decay: float,
    decay_norm: bool,
    decay_bias: bool,
    bias_lr: float,
    stage_lr: float,
) -> list[dict[str, Any]]:
    """Sort the parameters that are trained by what they are trained with.

    Args:
        net: the net.
        weight_decay: of what decays.
        decay_norm: whether weights and biases of normalizations do.
        decay_bias: whether biases of convolutions and linear layers do.
        bias_lr: factor on the rate of these biases.
        stage_lr: factor on the rate of each part against the one after it; the head has the full
            rate ([U]).

    Returns:
        Groups for an optimizer. `factor` is what a group's rate is the schedule's times of. Gates
        of shortcuts that were added to a net never decay.
    """
    kinds = _kinds(net)
    depth = _depths(net) if stage_lr != 1 else {}
    found: dict[tuple[float, float], list[Parameter]] = {}
    for parameter in net.parameters():
        if not parameter.requires_grad:
            continue
        kind = kinds.get(id(parameter), "weight")
        decays = {"norm": decay_norm, "bias": decay_bias, "gate": False, "weight": True}[kind]
        factor = (bias_lr if kind == "bias" else 1.0) * stage_lr ** depth.get(id(parameter), 0)
        found.setdefault((factor, weight_decay if decays else 0.0), []).append(parameter)
    return [
        {"params": members, "factor": factor, "weight_decay": decay}
        for (factor, decay), members in found.items()
    ]


def _kinds(net: nn.Module) -> dict[int, str]:
    """Tell which parameters are normalizations', gates of added shortcuts, or other biases."""
    kinds: dict[int, str] = {}
    for module in net.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if isinstance(module, NORMS):
                kinds[id(parameter)] = "norm"
            elif isinstance(module, GatedSum):
                kinds[id(parameter)] = "gate"
            elif name == "bias":
                kinds[id(parameter)] = "bias"
    return kinds


def _depths(net: nn.Module) -> dict[int, int]:
    """Count the parts between each parameter's and the end."""
    return {
        id(parameter): distance
        for distance, part in enumerate(reversed(parts(net)))
        for parameter in _parameters(part)
    }


def _parameters(part: list[nn.Module]) -> list[Parameter]:
    return [parameter for module in part for parameter in module.parameters()]
