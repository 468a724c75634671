"""MNIST and Fashion-MNIST: 70,000 grey pictures of 28x28 pixels, as their authors distribute them.

Sources:
    [L] LeCun, Cortes and Burges, The MNIST database of handwritten digits, 1998.
    [X] Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747.
    [T] torchvision 0.26, datasets/mnist.py: addresses and MD5 sums of the packed files.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from residua.config import settings
from residua.data import place
from residua.data.download import Remote
from residua.data.idx import read
from residua.data.images import ImageSet, hold_out
from residua.data.loading import Splits
from residua.errors import DataError

TRAIN, TEST = 60_000, 10_000


def _file(name: str, unpacked: str, packed: str, servers: Sequence[str]) -> place.File:
    """Describe a file by the MD5 sums of its two forms."""
    return place.File(
        {
            name: unpacked,
            name.replace("-idx", ".idx"): unpacked,
            f"{name}.gz": packed,
        },
        Remote(tuple(f"{server}/{name}.gz" for server in servers), f"md5:{packed}"),
    )


_MNIST = (
    "https://ossci-datasets.s3.amazonaws.com/mnist",
    "http://yann.lecun.com/exdb/mnist",
)
MNIST = place.Source(
    title="MNIST",
    home="MNIST/raw",
    files=(
        _file(
            "train-images-idx3-ubyte",
            "6bbc9ace898e44ae57da46a324031adb",
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
            _MNIST,
        ),
        _file(
            "train-labels-idx1-ubyte",
            "a25bea736e30d166cdddb491f175f624",
            "d53e105ee54ea40749a09fcbcd1e9432",
            _MNIST,
        ),
        _file(
            "t10k-images-idx3-ubyte",
            "2646ac647ad5339dbf082846283269ea",
            "9fb629c4189551a2d022fa330f9573f3",
            _MNIST,
        ),
        _file(
            "t10k-labels-idx1-ubyte",
            "27ae3e4e09519cfbb04c329615203637",
            "ec29112dd5afa0611ce80d1b7f02629c",
            _MNIST,
        ),
    ),
)
_FASHION = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion",
)
FASHION = place.Source(
    title="Fashion-MNIST",
    home="FashionMNIST/raw",
    files=(
        _file(
            "train-images-idx3-ubyte",
            "f4a8712d7a061bf5bd6d2ca38dc4d50a",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
            _FASHION,
        ),
        _file(
            "train-labels-idx1-ubyte",
            "9018921c3c673c538a1fc5bad174d6f9",
            "25c81989df183df01b3e8a0aad5dffbe",
            _FASHION,
        ),
        _file(
            "t10k-images-idx3-ubyte",
            "8181f5470baa50b63fa0f6fddb340f0a",
            "bef4ecab320f06d8554ea6380940ec79",
            _FASHION,
        ),
        _file(
            "t10k-labels-idx1-ubyte",
            "15d484375f8d13e6eb1aabb0c3f46965",
            "bb300cfdad3c16e7a12a480ee83cd310",
            _FASHION,
        ),
    ),
)

DIGITS = tuple(map(str, range(10)))
CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@settings
class MnistConfig:
    """MNIST ([L]): 60,000 handwritten digits to learn from and 10,000 to test on, light on dark.

    Attributes:
        folder: that holds MNIST/raw, or the four files, packed or not; by default $RESIDUA_DATA or
            the cache, and what is missing is fetched.
        holdout: how many of the 60,000 are kept to choose with instead of being learned from.
    """

    kind: Literal["mnist"] = "mnist"
    folder: str | None = None
    holdout: int = 0

    def load(self) -> Splits:
        """Read the pictures; whatever checksum the files have, their content must fit.

        Raises:
            DataError: a file is missing and cannot be fetched, is damaged, or holds something else.
            ConfigError: more is held out than there is.
        """
        return _load(MNIST, FASHION, self.folder, self.holdout, DIGITS)


@settings
class FashionMnistConfig:
    """Fashion-MNIST ([X]): 60,000 pieces of clothing to learn from and 10,000 to test on.

    Attributes:
        folder: that holds FashionMNIST/raw, or the four files, packed or not; by default
            $RESIDUA_DATA or the cache, and what is missing is fetched.
        holdout: how many of the 60,000 are kept to choose with instead of being learned from.
    """

    kind: Literal["fashion_mnist"] = "fashion_mnist"
    folder: str | None = None
    holdout: int = 0

    def load(self) -> Splits:
        """Read the pictures; whatever checksum the files have, their content must fit.

        Raises:
            DataError: a file is missing and cannot be fetched, is damaged, or holds something else.
            ConfigError: more is held out than there is.
        """
        return _load(FASHION, MNIST, self.folder, self.holdout, CLOTHES)


def _load(
    source: place.Source,
    namesake: place.Source,
    folder: str | None,
    holdout: int,
    classes: tuple[str, ...],
) -> Splits:
    paths = place.find(source, folder)
    train = _read(paths[0], paths[1], TRAIN, classes)
    test = _read(paths[2], paths[3], TEST, classes)
    sums = place.md5(paths)
    # The two sets have files of the same names, shapes and labels.
    if any(sum_ in file.sums.values() for file, sum_ in zip(namesake.files, sums, strict=True)):
        raise DataError(f"{paths[0].parent} holds {namesake.title}, not {source.title}")
    origin = place.origin(source, paths, sums)
    learned, held_out = hold_out(train, holdout)
    return Splits(train=learned, validation=held_out, test=test, origin=origin)


def _read(images: Path, labels: Path, count: int, classes: tuple[str, ...]) -> ImageSet:
    pictures = read(images, (count, 28, 28))
    numbers = read(labels, (count,))
    if not np.array_equal(np.unique(numbers), np.arange(len(classes))):
        raise DataError(
            f"{labels} holds labels from {numbers.min()} to {numbers.max()}: there must be all "
            f"of 0 to {len(classes) - 1}"
        )
    return ImageSet(
        torch.from_numpy(pictures)[:, None], torch.from_numpy(numbers.astype(np.int64)), classes
    )
