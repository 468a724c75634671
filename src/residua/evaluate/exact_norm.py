"""Statistics of batch normalization taken again from the training pictures.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, appendix A: after pre-training, on the
        training set.
    [N] The notes to the release of [R]: strict averages on a large training batch. We take a batch
        of training for what the net was given then, which is augmented; [N] does not say so.
"""

import dataclasses
import math

import torch
from torch import nn

from residua.data.images import ImageSet
from residua.data.loading import Pictures, Serving
from residua.data.normalize import Normalize
from residua.data.views import PAPER_SIDE, CenterCrop, Views, Whole, proportional
from residua.evaluate.score import fit
from residua.nn.norms import average_statistics


def average_as_learned(
    net: nn.Module, images: Pictures, serving: Serving, *, dtype: torch.dtype = torch.float32
) -> str:
    """Set all batch normalization to averages over pictures as they were learned from ([N]).

    They are the batches that a training with this serving begins with, as many as hold every
    picture: what is drawn at random follows from its seed. What a loss does to pictures (mixup,
    cutmix) is left out. `nn.norms.average_statistics` says what is averaged.

    Args:
        net: changed in place.
        images: the training pictures, on the device of the net.
        serving: that of the training, with the pictures that passed at a time.
        dtype: float32, or the type of autocast.

    Returns:
        Over what the averages are: words for the protocol of every number measured afterwards.

    Raises:
        ConfigError: the net has no batch normalization that keeps statistics.
    """
    # A picture alone can have no variance to normalize with.
    size = max(2, min(serving.batch_size, len(images)))
    batches = images.batches(dataclasses.replace(serving, batch_size=size))
    inputs = (batches[number].images for number in range(math.ceil(len(images) / size)))
    kind = images.labels.device.type
    try:
        with torch.autocast(kind, dtype, enabled=dtype is not torch.float32):
            pictures = average_statistics(net, inputs)
    finally:
        batches.close()
    return (
        f"averaged over {pictures:,} training images, augmented as they were learned from, in "
        f"batches of {size}"
    )


def average_unaugmented(
    net: nn.Module,
    images: Pictures,
    normalize: Normalize,
    *,
    dtype: torch.dtype = torch.float32,
) -> str:
    """Set all batch normalization to averages over training pictures, none of them augmented.

    Pictures in memory are taken whole; of others, the center that fits what is learned from. The
    batches are as equal as can be. A net that learned from shifted and padded pictures can have
    larger errors with these averages than with those of `average_as_learned`.

    Args:
        net: changed in place.
        images: the training pictures.
        normalize: what the net was trained with.
        dtype: float32, or the type of autocast.

    Returns:
        Over what the averages are, as `average_as_learned` says it.

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
    return f"averaged over {pictures:,} training images, not augmented, in batches of {batch_size}"


def views_for(images: Pictures) -> Views:
    """Return how pictures are looked at: in memory whole, others at the center, in one size."""
    if isinstance(images, ImageSet):
        return Whole()
    side = min(images.shape[1:])
    return CenterCrop(short_side=proportional(side, PAPER_SIDE), size=side)
