"""Statistics of batch normalization taken again from the training pictures."""

import math

import torch
from torch import nn

from residua.data.images import ImageSet
from residua.data.loading import Pictures
from residua.data.normalize import Normalize
from residua.data.views import PAPER_SIDE, CenterCrop, Views, Whole, proportional
from residua.evaluate.score import fit
from residua.nn.norms import average_statistics


def take_exact_statistics(
    net: nn.Module,
    images: Pictures,
    normalize: Normalize,
    *,
    dtype: torch.dtype = torch.float32,
) -> str:
    """Set all batch normalization of a net to averages over training pictures, unaugmented.

    Pictures in memory are taken whole; of others, the center that fits what is learned from. The
    batches are as equal as can be; `nn.norms.average_statistics` says what is averaged.

    Args:
        net: changed in place.
        images: the training pictures.
        normalize: what the net was trained with.
        dtype: float32, or the type of autocast.

    Returns:
        The words that belong to the protocol of every number measured afterwards.

    Raises:
        ConfigError: the net has no batch normalization that keeps statistics.
    """
    views = views_for(images)
    looks = views.looks(images.shape)
    count = math.ceil(len(images) / fit(looks))
    batch_size = math.ceil(len(images) / count)
    device = next((p.device for p in net.parameters()), normalize.mean.device)
    on_device = normalize.to(device)
    inputs = (
        on_device(pictures)
        for view in looks.passes
        for viewed in images.viewed(view, batch_size)
        for pictures in [viewed.flatten(0, 1).to(device)]
    )
    with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
        pictures = average_statistics(net, inputs)
    return (
        f"with batch-norm statistics averaged over {pictures:,} training images, not augmented, in "
        f"batches of {batch_size}"
    )


def views_for(images: Pictures) -> Views:
    """Return how pictures are looked at: in memory whole, others at the center, in one size."""
    if isinstance(images, ImageSet):
        return Whole()
    side = min(images.shape[1:])
    return CenterCrop(short_side=proportional(side, PAPER_SIDE), size=side)
