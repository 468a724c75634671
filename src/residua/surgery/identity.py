"""Blocks that start as the identity: `F(x) = 0` in residual ones, Dirac kernels in plain ones.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 1 (the solution by
        construction: the added layers are identity mappings).
    [G] Goyal et al., Accurate, Large Minibatch SGD, arXiv:1706.02677, section 5.1.
    [C] Chen et al., Net2Net, arXiv:1511.05641, Net2DeeperNet: identity layers, and batch
        normalization that undoes itself.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn

from residua.errors import ConfigError
from residua.nets.blocks_of import parts_around
from residua.nn.blocks import GatedBlock, HighwayBlock, PlainBlock
from residua.nn.modes import evaluating
from residua.nn.shortcuts import Scale

Norm = nn.BatchNorm1d | nn.BatchNorm2d
Weighted = nn.Conv2d | nn.Linear | Norm


def make_identity(block: nn.Module, previous: nn.Module) -> list[Norm]:
    """Set the weights of a block so that in eval mode it puts out what comes in.

    In a residual block the last weights of F become zero, so that F is zero and its first gradient
    is not ([G]). In a plain one convolutions get Dirac kernels and batch normalization passes
    values on ([C]). ReLU is the identity where nothing negative comes in, as behind a ReLU.

    Args:
        block: changed in place.
        previous: the block before it, which says whether what comes in can be negative.

    Returns:
        The batch normalizations that values pass through on their way. In training they still
        normalize, until `take_statistics` has seen what passes.

    Raises:
        ConfigError: no weights make it the identity, or none from which it could learn.
    """
    if isinstance(block, GatedBlock | HighwayBlock):
        raise ConfigError("a block with a gate mixes F and h and is never quite the identity")
    path: list[nn.Module] = []
    for part in _way(block):
        path += _leaves(part)
    if not isinstance(block, PlainBlock):
        _zero(_function(block))
    return _carry(path, nonnegative=_ends_in_relu(previous))


@torch.no_grad()
def take_statistics(net: nn.Module, norms: list[Norm], batches: Iterable[Tensor]) -> None:
    """Let normalizations that pass values on do so in training too: `y = s (x - m) / s + m`.

    Mean m and deviation s of each channel are taken of what passes in eval mode.

    Args:
        net: that holds them; its mode is restored.
        norms: as `make_identity` returned them.
        batches: inputs as the net takes them, N, C, H, W.
    """
    sums = {norm: _Moments(norm.num_features) for norm in norms}
    hooks = [norm.register_forward_pre_hook(sums[norm]) for norm in norms]
    try:
        with evaluating(net):
            for batch in batches:
                net(batch)
    finally:
        for hook in hooks:
            hook.remove()
    for norm, found in sums.items():
        if found.count:
            _pass_on(norm, *found.mean_and_variance())


class _Moments:
    """Sums, in float64, of what a normalization takes and of its squares, by channel."""

    def __init__(self, channels: int) -> None:
        self.count = 0
        self.total = torch.zeros(channels, dtype=torch.float64)
        self.squares = torch.zeros(channels, dtype=torch.float64)

    def __call__(self, _norm: nn.Module, args: tuple[Tensor, ...]) -> None:
        """Add what comes in: N, C, or N, C, H, W."""
        wide = args[0].detach().cpu().double()
        axes = [axis for axis in range(wide.ndim) if axis != 1]
        self.count += wide.numel() // wide.shape[1]
        self.total += wide.sum(axes)
        self.squares += wide.square().sum(axes)

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        """Return both, by channel."""
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()).clamp_min(0)


def _way(block: nn.Module) -> list[nn.Module]:
    """List the parts of a block that values pass through when F is zero, or all of a plain one."""
    if isinstance(block, PlainBlock):
        return [block.before, block.residual, block.after]
    return list(parts_around(block).values())


def _function(block: nn.Module) -> list[nn.Module]:
    """List what F is made of: of torchvision's blocks the direct parts but for their shortcut."""
    inner = getattr(block, "residual", None)
    if isinstance(inner, nn.Module):
        return _leaves(inner)
    parts = [part for name, part in block.named_children() if name not in {"downsample", "relu"}]
    return [leaf for part in parts for leaf in _leaves(part)]


def _leaves(module: nn.Module) -> list[nn.Module]:
    return [each for each in module.modules() if not list(each.children())]


def _ends_in_relu(block: nn.Module) -> bool:
    """Tell whether nothing negative comes out of a block."""
    parts = [leaf for part in _way(block) for leaf in _leaves(part) if _changes(leaf)]
    return bool(parts) and isinstance(parts[-1], nn.ReLU)


def _changes(leaf: nn.Module) -> bool:
    return not isinstance(leaf, nn.Identity | nn.Dropout)


def _zero(function: list[nn.Module]) -> None:
    """Zero the last weights of a residual function."""
    acting = [leaf for leaf in function if _changes(leaf) and not isinstance(leaf, Scale)]
    if isinstance(acting[-1], nn.ReLU):
        raise ConfigError(
            "a residual function that ends in ReLU is zero only where its gradient is zero too: a "
            "block that starts so would never learn (nets of order 'relu_before_add' and the "
            "residual MNIST nets have such functions)"
        )
    last = next((leaf for leaf in reversed(acting) if isinstance(leaf, Weighted)), None)
    if last is None or not all(isinstance(leaf, nn.ReLU) for leaf in _behind(acting, last)):
        raise ConfigError(
            f"no weights make a residual function zero that ends in {acting[-1]}: unfreeze it first"
        )
    for parameter in last.parameters():
        nn.init.zeros_(parameter)


def _behind(leaves: list[nn.Module], leaf: nn.Module) -> list[nn.Module]:
    return leaves[leaves.index(leaf) + 1 :]


def _carry(path: list[nn.Module], *, nonnegative: bool) -> list[Norm]:
    """Let values pass through the modules of a path as they are; return its normalizations."""
    widths = list(_widths(path))
    if any(width < widths[0] for width in widths):
        raise ConfigError(
            f"values of {widths[0]} channels cannot pass as they are through fewer inside a plain "
            "bottleneck (deepen a plain net of basic blocks)"
        )
    if not nonnegative and any(isinstance(leaf, nn.ReLU) for leaf in path):
        raise ConfigError(
            "what comes into the block can be negative and would pass through a ReLU, which cuts "
            "it (plain nets and projections can be deepened in order 'post')"
        )
    for leaf in path:
        _let_through(leaf)
    return [leaf for leaf in path if isinstance(leaf, Norm)]


def _let_through(leaf: nn.Module) -> None:
    match leaf:
        case nn.ReLU() | nn.Identity() | nn.Dropout():
            pass
        case nn.Conv2d() if leaf.stride == (1, 1) and leaf.groups == 1:
            nn.init.dirac_(leaf.weight)
            _zero_bias(leaf)
        case nn.Linear():
            nn.init.eye_(leaf.weight)
            _zero_bias(leaf)
        case nn.BatchNorm1d() | nn.BatchNorm2d() if leaf.affine and leaf.track_running_stats:
            _pass_on(leaf, torch.zeros(leaf.num_features), torch.ones(leaf.num_features))
        case _:
            raise ConfigError(
                f"values cannot pass as they are through {leaf} on the way through the block"
            )


def _widths(path: list[nn.Module]) -> Iterator[int]:
    """Yield the channels that come in, and those after each layer."""
    weighted = [leaf for leaf in path if isinstance(leaf, nn.Conv2d | nn.Linear)]
    for index, leaf in enumerate(weighted):
        if index == 0:
            yield leaf.weight.shape[1]
        yield leaf.weight.shape[0]


def _zero_bias(layer: nn.Conv2d | nn.Linear) -> None:
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


@torch.no_grad()
def _pass_on(norm: Norm, mean: Tensor, variance: Tensor) -> None:
    """Give a normalization statistics, and weights that undo what they do."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    norm.running_mean.copy_(mean)
    norm.running_var.copy_(variance)
    norm.weight.copy_((norm.running_var.double() + norm.eps).sqrt())
    norm.bias.copy_(norm.running_mean)
