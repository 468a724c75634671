"""What counts as a weight layer, in anyone's net.

Papers count the layers with weights that follow one another. A depthwise convolution and the
pointwise one after it are one separable convolution, and count once.
"""

from torch import nn

NORMS = (
    nn.modules.batchnorm._NormBase,
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
    nn.LocalResponseNorm,
)
CONVOLUTIONS = nn.modules.conv._ConvNd
NO_LAYERS = (*NORMS, nn.Embedding, nn.PReLU)


def has_weights(module: nn.Module) -> bool:
    """Tell whether a module is a layer with a matrix of weights of its own: linear, convolution.

    A layer of one's own making is one if it owns a parameter of two dimensions or more.
    """
    if isinstance(module, CONVOLUTIONS | nn.Linear | nn.Bilinear):
        return True
    if isinstance(module, NO_LAYERS):
        return False
    return any(parameter.ndim >= 2 for parameter in module.parameters(recurse=False))


def counts(module: nn.Module) -> bool:
    """Tell whether a module counts as a weight layer: depthwise convolutions do not."""
    if isinstance(module, CONVOLUTIONS):
        return module.groups == 1 or module.groups != module.in_channels
    return has_weights(module)


def is_norm(module: nn.Module) -> bool:
    """Tell whether a module normalizes, whoever wrote it."""
    named = type(module).__name__
    return isinstance(module, NORMS) or "Norm" in named or named.startswith("FrozenBatch")


def is_unit(module: nn.Module) -> bool:
    """Tell whether nothing in a module could be bridged: one layer, or what has no weights."""
    if has_weights(module):
        return not any(
            has_weights(inner) for child in module.children() for inner in child.modules()
        )
    return not any(has_weights(inner) for inner in module.modules())


def normalized(net: nn.Module) -> bool:
    """Tell whether a net has batch normalization, so that its projections get one too."""
    return any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in net.modules())


def writes_over(module: nn.Module) -> bool:
    """Tell whether a module may write its output over its input."""
    return bool(getattr(module, "inplace", False)) or type(module).__name__ == "FrugalReLU"
