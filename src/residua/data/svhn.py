"""SVHN: pictures of 32x32 pixels of the digits of house numbers, as their authors distribute them.

Sources:
    [N] Netzer et al., Reading Digits in Natural Images with Unsupervised Feature Learning, 2011.
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, section 3.
    [T] torchvision 0.26, datasets/svhn.py: addresses and MD5 sums.
"""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from residua.config import settings
from residua.data import place
from residua.data.download import Remote
from residua.data.images import ImageSet, hold_out
from residua.data.loading import Splits
from residua.errors import DataError


def _file(name: str, md5: str) -> place.File:
    url = f"http://ufldl.stanford.edu/housenumbers/{name}"
    return place.File({name: md5}, Remote((url,), f"md5:{md5}"))


EXTRA = _file("extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7")
SVHN = place.Source(
    title="SVHN",
    home="svhn",
    files=(
        _file("test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
        _file("train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    ),
    loose=True,
)

# Pictures in each file.
COUNTS = {"test_32x32.mat": 26_032, "train_32x32.mat": 73_257, "extra_32x32.mat": 531_131}


@settings
class SvhnConfig:
    """SVHN ([N]): 73,257 digits to learn from, 531,131 easier ones, and 26,032 to test on.

    Attributes:
        folder: that holds the .mat files, or a folder svhn with them; by default $RESIDUA_DATA or
            the cache, and what is missing is fetched.
        holdout: how many pictures are kept to choose with instead of being learned from.
        extra: learn from the easier ones too, as [W] and others do: 1.3 GB to fetch, and 3.5 GB of
            memory while they are read.
    """

    kind: Literal["svhn"] = "svhn"
    folder: str | None = None
    holdout: int = 0
    extra: bool = False

    def load(self) -> Splits:
        """Read the pictures; whatever checksum the files have, their content must be SVHN's.

        Raises:
            DataError: a file is missing and cannot be fetched, is damaged, or holds something else.
            ConfigError: more is held out than there is.
        """
        source = replace(SVHN, files=(*SVHN.files, EXTRA)) if self.extra else SVHN
        paths = place.find(source, self.folder)
        test, train = _read(paths[:1]), _read(paths[1:])
        origin = place.origin(source, paths, place.md5(paths))
        learned, held_out = hold_out(train, self.holdout)
        return Splits(train=learned, validation=held_out, test=test, origin=origin)


def _read(paths: list[Path]) -> ImageSet:
    """Join the pictures of several files, copying each once."""
    total = sum(COUNTS[path.name] for path in paths)
    images = torch.empty((total, 3, 32, 32), dtype=torch.uint8)
    labels = torch.empty(total, dtype=torch.int64)
    start = 0
    for path in paths:
        stop = start + COUNTS[path.name]
        pictures, numbers = _content(path, stop - start)
        images[start:stop] = torch.from_numpy(pictures.transpose(3, 2, 0, 1))
        # The files call the digit 0 ten.
        labels[start:stop] = torch.from_numpy(numbers.astype(np.int64) % 10)
        start = stop
    return ImageSet(images, labels, tuple(map(str, range(10))))


def _content(path: Path, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read the arrays of a file: pictures as H, W, C, N, and labels from 1 to 10."""
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=["X", "y"], appendmat=False)
        pictures, numbers = content["X"], np.ravel(content["y"])
    # Of a damaged file, the reader of SciPy may raise anything.
    except Exception as error:
        raise DataError(
            f"{path} is no file of SVHN, or damaged: {type(error).__name__}: {error} (move it away "
            "to have it fetched again)"
        ) from None
    if pictures.dtype != np.uint8 or pictures.shape != (32, 32, 3, count):
        raise DataError(
            f"{path} holds {pictures.dtype} of {pictures.shape}: there must be {count:,} pictures, "
            f"uint8 of (32, 32, 3, {count})"
        )
    if numbers.shape != (count,) or not np.array_equal(np.unique(numbers), np.arange(1, 11)):
        raise DataError(
            f"{path} holds {numbers.size:,} labels, {np.unique(numbers).size} of them different: "
            f"there must be {count:,}, from 1 to 10, and each of these"
        )
    return pictures, numbers
