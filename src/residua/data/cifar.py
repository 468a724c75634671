"""CIFAR-10 and CIFAR-100: 60,000 pictures of 32x32 pixels, as their authors distribute them.

Sources:
    [K] Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
"""

import hashlib
import warnings
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from residua import unpickle
from residua.config import settings
from residua.data import place
from residua.data.loading import ImageSet, Splits, hold_out
from residua.errors import DataError

# MD5 of the files in the authors' archive, as torchvision lists them.
OFFICIAL = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
}
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)


@settings
class Cifar10Config:
    """CIFAR-10 ([K]): 50,000 pictures to learn from and 10,000 to test on, in 10 classes.

    Attributes:
        folder: that holds cifar-10-batches-py; by default $RESIDUA_DATA.
        holdout: how many of the 50,000 are kept to choose with instead of being learned from. [R]
            holds out 5,000 to choose the schedule.
    """

    kind: Literal["cifar10"] = "cifar10"
    folder: str | None = None
    holdout: int = 0

    def load(self) -> Splits:
        """Read the pictures; whatever checksum the files have, their content must be CIFAR's.

        Raises:
            DataError: a file is missing, damaged, or holds something else.
            ConfigError: more is held out than there is.
        """
        root = place.find(self.folder, "cifar-10-batches-py")
        parts = [_read(root / f"data_batch_{number}") for number in range(1, 6)]
        train = ImageSet(
            torch.cat([images for images, _ in parts]),
            torch.cat([labels for _, labels in parts]),
            CLASSES,
        )
        test = ImageSet(*_read(root / "test_batch"), CLASSES)
        learned, held_out = hold_out(train, self.holdout)
        return Splits(train=learned, validation=held_out, test=test)


def _text(name: str | bytes) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else name


def _read(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Read 10,000 pictures and labels from one file."""
    try:
        # Written by Python 2, names are text; those that Python 3 wrote as bytes are read too.
        content = {_text(name): value for name, value in unpickle.arrays(path).items()}
        images = np.asarray(content["data"], dtype=np.uint8).reshape(-1, 3, 32, 32)
        labels = np.asarray(content["labels"], dtype=np.int64)
    except FileNotFoundError:
        raise DataError(f"{path} is not there") from None
    except (*unpickle.FAULTS, TypeError, OSError) as error:
        raise DataError(f"{path} is not a file of CIFAR-10, or damaged: {error}") from None
    if len(images) != 10_000 or not np.array_equal(np.unique(labels), np.arange(10)):
        raise DataError(
            f"{path} holds {len(images)} pictures with labels {labels.min()} to {labels.max()}: "
            "a file of CIFAR-10 has 10,000, labelled 0 to 9"
        )
    if len(labels) != len(images):
        raise DataError(f"{path} holds {len(images)} pictures but {len(labels)} labels")
    if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != OFFICIAL[path.name]:
        warnings.warn(
            f"{path} is well formed, but is not byte for byte the file of CIFAR-10's authors",
            stacklevel=2,
        )
    return torch.from_numpy(images.copy()), torch.from_numpy(labels)
