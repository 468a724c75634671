"""Make a trained net deeper without changing what it computes.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 1: a deeper net is at least as
        good as a shallower one if the layers that it has more are identity mappings.
    [B] the blog post "Residual networks in Torch, MNIST": the best small net "can be transformed
        into a deeper net by adding identity layers".
"""

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from residua import runtime
from residua.nets.insert import behind, ends, insert
from residua.nn.modes import evaluating
from residua.surgery.identity import make_identity, take_statistics


def deepen(
    net: nn.Module,
    blocks: int | Sequence[int] = 1,
    *,
    after: Sequence[str] | None = None,
    batches: Iterable[Tensor] | None = None,
    seed: int = 0,
) -> nn.Module:
    """Copy a residual or plain net and put in blocks that start as the identity.

    In eval mode the copy is the same function: of a residual net to the last bit, of a plain one up
    to rounding. A residual net is it in training too; a plain one only if `batches` say what passes
    its new batch normalizations.

    Args:
        net: a net of ours with stages of residual or plain blocks, or a ResNet of torchvision.
        blocks: new ones at the end of each stage: one number for all stages, or one for each.
        after: in place of `blocks`, names of the blocks that each get one behind them.
        batches: inputs of plain nets, as the net takes them: N, C, H, W.
        seed: of what is random in the new weights.

    Raises:
        ConfigError: the net has no such blocks, numbers or names do not fit it, or no weights make
            its blocks the identity.
    """
    names = ends(net, blocks) if after is None else tuple(after)
    result = copy.deepcopy(net)
    with torch.random.fork_rng():
        torch.manual_seed(runtime.derive(seed, "deepen"))
        new = insert(result, names)
    place = behind(net, names)
    norms = [
        norm
        for name in new
        for norm in make_identity(result.get_submodule(name), net.get_submodule(place[name]))
    ]
    if batches is not None and norms:
        take_statistics(result, norms, batches)
    return result


@torch.no_grad()
def output_change(before: nn.Module, after: nn.Module, images: Tensor) -> float:
    """Return the largest difference between what two nets put out for the same input in eval mode.

    Args:
        before: a net; its mode is restored, as is that of the other.
        after: another.
        images: N, C, H, W, as the nets take them.
    """
    with evaluating(before, after):
        return float((before(images) - after(images)).abs().max())
