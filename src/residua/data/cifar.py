"""CIFAR-10 and CIFAR-100: 60,000 pictures of 32x32 pixels, as their authors distribute them.

Sources:
    [K] Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009.
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
    [T] torchvision 0.26, datasets/cifar.py: addresses and MD5 sums.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from residua import unpickle
from residua.config import settings
from residua.data import place
from residua.data.download import Remote
from residua.data.images import ImageSet, hold_out
from residua.data.loading import Origin, Splits
from residua.errors import DataError

CIFAR10 = place.Source(
    title="CIFAR-10",
    home="cifar-10-batches-py",
    files=(
        place.File({"data_batch_1": "c99cafc152244af753f735de768cd75f"}),
        place.File({"data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec"}),
        place.File({"data_batch_3": "54ebc095f3ab1f0389bbae665268c751"}),
        place.File({"data_batch_4": "634d18415352ddfa80567beed471001a"}),
        place.File({"data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb"}),
        place.File({"test_batch": "40351d587109b95175f43aff81a1287e"}),
    ),
    archive=Remote(
        ("https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz",),
        "md5:c58f30108f718f92721af3b95e74349a",
    ),
)
CIFAR100 = place.Source(
    title="CIFAR-100",
    home="cifar-100-python",
    files=(
        place.File({"train": "16019d7e3df5f24257cddd939b257f8d"}),
        place.File({"test": "f0ef6b0ae62326f3e7ffdfab6717acfc"}),
        place.File({"meta": "7973b15100ade9c7d40fb424638fde48"}),
    ),
    archive=Remote(
        ("https://www.cs.toronto.edu/~kriz/cifar-100-python.tar.gz",),
        "md5:eb9058c3a382ffc7106e4002c42a8d85",
    ),
)

# Pictures in one of the six files of CIFAR-10, and in the two of CIFAR-100.
BATCH = 10_000
TRAIN, TEST = 50_000, 10_000

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
        folder: that holds cifar-10-batches-py, or its files; by default $RESIDUA_DATA or the cache,
            and what is missing is fetched.
        holdout: how many of the 50,000 are kept to choose with instead of being learned from. [R]
            holds out 5,000 to choose the schedule.
    """

    kind: Literal["cifar10"] = "cifar10"
    folder: str | None = None
    holdout: int = 0

    def load(self) -> Splits:
        """Read the pictures; whatever checksum the files have, their content must be CIFAR's.

        Raises:
            DataError: a file is missing and cannot be fetched, is damaged, or holds something else.
            ConfigError: more is held out than there is.
        """
        paths = place.find(CIFAR10, self.folder)
        parts = [read(path, "labels", count=BATCH, classes=10) for path in paths]
        origin = place.origin(CIFAR10, paths, place.md5(paths))
        return _splits(
            _joined(parts[:5], CLASSES), _joined(parts[5:], CLASSES), self.holdout, origin
        )


@settings
class Cifar100Config:
    """CIFAR-100 ([K]): 50,000 pictures to learn from and 10,000 to test on, in 100 classes.

    Attributes:
        folder: that holds cifar-100-python, or its files; by default $RESIDUA_DATA or the cache,
            and what is missing is fetched.
        holdout: how many of the 50,000 are kept to choose with instead of being learned from.
        labels: "fine" for the 100 classes, "coarse" for the 20 groups of five that they belong to.
    """

    kind: Literal["cifar100"] = "cifar100"
    folder: str | None = None
    holdout: int = 0
    labels: Literal["fine", "coarse"] = "fine"

    def load(self) -> Splits:
        """Read the pictures, and the names of the classes from the authors' file.

        Raises:
            DataError: a file is missing and cannot be fetched, is damaged, or holds something else.
            ConfigError: more is held out than there is.
        """
        paths = place.find(CIFAR100, self.folder)
        count = 100 if self.labels == "fine" else 20
        names = _names(paths[2], f"{self.labels}_label_names", count)
        key = f"{self.labels}_labels"
        train = read(paths[0], key, count=TRAIN, classes=count)
        test = read(paths[1], key, count=TEST, classes=count)
        origin = place.origin(CIFAR100, paths, place.md5(paths))
        return _splits(_joined([train], names), _joined([test], names), self.holdout, origin)


def read(path: Path, key: str, *, count: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Read pictures and labels from one file.

    Args:
        path: of the file.
        key: under which it has the labels.
        count: how many pictures it must have.
        classes: how many different labels it must have.

    Shape:
        N, 3, 32, 32, uint8 and N, int64, in [0, K).

    Raises:
        DataError: the file is damaged, or holds something else.
    """
    content = _content(path)
    try:
        images = np.asarray(content["data"])
        labels = np.asarray(content[key], dtype=np.int64)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise DataError(f"{path} is no file of CIFAR: {type(error).__name__} {error}") from None
    if images.dtype != np.uint8 or images.shape != (count, 3 * 32 * 32):
        raise DataError(
            f"{path} holds {images.dtype} of {images.shape}: there must be {count:,} pictures, "
            f"uint8 of ({count}, 3072)"
        )
    if labels.shape != (count,) or not np.array_equal(np.unique(labels), np.arange(classes)):
        raise DataError(
            f"{path} holds {labels.size:,} labels, {np.unique(labels).size} of them different: "
            f"there must be {count:,}, from 0 to {classes - 1}, and each of these"
        )
    # The arrays of a pickle cannot be written to; a tensor must be one that can.
    pictures = torch.from_numpy(images.copy()).view(count, 3, 32, 32)
    return pictures, torch.from_numpy(labels.copy())


def _content(path: Path) -> dict[str, Any]:
    """Read a pickle, whose keys are text as Python 2 wrote it or bytes."""
    try:
        return {
            _text(name): value for name, value in unpickle.arrays(path, encoding="bytes").items()
        }
    except (*unpickle.FAULTS, TypeError, OSError, MemoryError, OverflowError) as error:
        raise DataError(
            f"{path} is no file of CIFAR, or damaged: {error} (move it away to have it fetched)"
        ) from None


def _text(name: str | bytes) -> str:
    return name.decode("latin1") if isinstance(name, bytes) else name


def _names(path: Path, key: str, count: int) -> tuple[str, ...]:
    found = _content(path).get(key)
    names = tuple(map(_text, found)) if isinstance(found, list) else ()
    if len(set(names)) != count:
        raise DataError(f"{path} holds {len(set(names))} {key}: there must be {count}")
    return names


def _joined(
    parts: Iterable[tuple[torch.Tensor, torch.Tensor]], classes: tuple[str, ...]
) -> ImageSet:
    images, labels = zip(*parts, strict=True)
    return ImageSet(torch.cat(images), torch.cat(labels), classes)


def _splits(train: ImageSet, test: ImageSet, holdout: int, origin: Origin) -> Splits:
    learned, held_out = hold_out(train, holdout)
    return Splits(train=learned, validation=held_out, test=test, origin=origin)
