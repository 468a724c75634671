"""Augmentation: batches of pictures to batches of pictures, all of a batch at once.

Pictures are N, C, H, W with values in [0, 255]; a generator on the processor is the only source of
randomness. One module for each idea, and `Augment`, the union of their settings.
"""

from typing import Annotated

from residua.config import tagged
from residua.data.augment.chain import Chain
from residua.data.augment.colour import ColourJitter, PcaColour, colour_jitter, pca_colour
from residua.data.augment.crop import AsIs, Fill, PadCropFlip, pad_crop_flip
from residua.data.augment.rescale import (
    RandomResizedCrop,
    RescaleCrop,
    random_resized_crop,
    rescale_crop,
)
from residua.data.augment.rotate import RotateShift, rotate_shift
from residua.data.augment.steps import Step

__all__ = [
    "AsIs",
    "Augment",
    "Chain",
    "ColourJitter",
    "Fill",
    "PadCropFlip",
    "PcaColour",
    "RandomResizedCrop",
    "RescaleCrop",
    "RotateShift",
    "Step",
    "colour_jitter",
    "pad_crop_flip",
    "pca_colour",
    "random_resized_crop",
    "rescale_crop",
    "rotate_shift",
]

Augment = Annotated[Step | Chain, tagged]
