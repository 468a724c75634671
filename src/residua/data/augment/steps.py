"""What one step of an augmentation can be."""

from residua.data.augment.colour import ColourJitter, PcaColour
from residua.data.augment.crop import AsIs, PadCropFlip
from residua.data.augment.rescale import RandomResizedCrop, RescaleCrop
from residua.data.augment.rotate import RotateShift

Step = AsIs | PadCropFlip | RotateShift | RescaleCrop | RandomResizedCrop | ColourJitter | PcaColour
