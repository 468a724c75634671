"""One's own pictures: an experiment made for a folder, from scratch.

The network and the size follow the pictures, the length of the training their number.

How the settings were chosen: by the validation error on 649 of 4,317 photographs of five kinds of
flowers, one training each, so that differences below two points mean little. Learned from in parts
of 96 of 128 pixels with a decay of 5e-4: 24.7 % after 100 epochs, 25.9 % after 40; with a decay of
3e-3, 24.4 % after 40; with that and parts of 128 pixels, 23.9 % after 30 and 24.2 % after 50, which
is what is done. Cutmix (32.4 % after 40), mixup with a decay of 5e-3 (25.4 % after 100), batches of
32 at half the rate (24.2 % after 50) and a rate of 0.03 (24.7 % after 100, with a training error of
5 in place of 19 %) did not help. The test error of what is done is 28.7 % there.
"""

import math
import re
from dataclasses import dataclass
from pathlib import Path

from residua.data.augment import PadCropFlip, RandomResizedCrop
from residua.data.divide import divide
from residua.data.folder import FilesConfig, FolderConfig, absolute
from residua.data.probe import probe, sentences
from residua.data.recognise import recognise
from residua.experiment import Experiment
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from residua.train.loss import LossConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig

__all__: list[str] = []

# The most that decoded pictures may take in memory, in bytes. It is no share of what is free, so
# that the same folder is trained in the same way everywhere.
MEMORY = 2 << 30
# Pictures looked at in all, and the fewest and the most times each is.
LOOKS, FEWEST, MOST = 150_000, 20, 60
BATCH = 64
# Pixels from which on a stem that divides the sides by four leaves enough of them.
SMALLEST_FOR_STEM = 64


@dataclass(frozen=True)
class Recognised:
    """What a folder of pictures was taken for: the experiment, and sentences that say so."""

    experiment: Experiment
    sentences: list[str]


def recognised(path: str | Path) -> Recognised:
    """Recognise a folder of pictures and make the experiment for it.

    Raises:
        DataError: the folder has no layout that is known, or its pictures cannot be read.
    """
    layout = recognise(path)
    found = probe(layout)
    channels = 1 if found.grey else 3
    size = size_for(found.typical_side)
    count, k = sum(layout.counts()), len(layout.classes)
    where = absolute(path)
    name = f"pictures.{plain(Path(where).name)}"
    bytes_needed = count * channels * size**2
    if bytes_needed > MEMORY:
        files = FilesConfig(path=where, channels=channels, validation=min(0.15, 10_000 / count))
        divided = divide(layout, validation=files.validation, test=files.test)
        how = f"read from the files for every batch, {files.size}x{files.size} pixels of each"
        experiment = Experiment(
            name=name,
            net=ImagenetConfig(depth=18, in_channels=channels, num_classes=k),
            data=files,
            schedule=_schedule(len(divided.train), batch=256),
            batch_size=256,
        )
    else:
        folder = FolderConfig(path=where, size=size, channels=channels)
        divided = divide(layout, validation=folder.validation, test=folder.test)
        how = f"read at {size}x{size} and kept in memory, {bytes_needed / 1e6:,.0f} MB"
        experiment = Experiment(
            name=name,
            net=(
                CifarConfig(depth=20, in_channels=channels, num_classes=k)
                if size < SMALLEST_FOR_STEM
                else ImagenetConfig(depth=18, widen=0.5, in_channels=channels, num_classes=k)
            ),
            data=folder,
            augment=_augmentation(size),
            optimizer=SgdConfig(weight_decay=3e-3, nesterov=True),
            loss=LossConfig(label_smoothing=0.1),
            schedule=_schedule(len(divided.train), batch=BATCH),
            batch_size=BATCH,
        )
    colour = "grey" if found.grey else "in colour"
    return Recognised(experiment, sentences(layout, found, divided, f"{how}, {colour}"))


def _augmentation(size: int) -> PadCropFlip | RandomResizedCrop:
    """Choose what is done to pictures of a size that are learned from."""
    if size < SMALLEST_FOR_STEM:
        return PadCropFlip(pad=size // 8)
    return RandomResizedCrop(size=size, area=(0.25, 1.0))


def size_for(side: int) -> int:
    """Choose the size at which pictures with a typical shorter side of so many pixels are read."""
    for size in (32, 48, 64, 96):
        if side <= size * 1.25:
            return size
    return 128


def _schedule(count: int, *, batch: int) -> CosineConfig:
    epochs = min(max(LOOKS / count, FEWEST), MOST)
    updates = max(2, math.ceil(epochs * count / batch))
    return CosineConfig(lr=0.1, until=updates, warmup=updates // 20)


def plain(name: str) -> str:
    """Return a name that a folder of runs can have."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.") or "folder"
