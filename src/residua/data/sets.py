"""Data sets that need no path.

Sources:
    [D] Optical Recognition of Handwritten Digits, UCI, 1998: the 1,797 pictures of 8x8 pixels that
        scikit-learn carries.
"""

import hashlib
from functools import lru_cache
from typing import Literal

import numpy as np
import torch

from residua.config import settings
from residua.data.images import ImageSet
from residua.data.loading import Splits

# Pictures of each digit in the validation part and in the test part.
HELD_OUT = 36

# Names the split: of the ten that bench/split.py lists, one on which a support vector machine and
# nearest neighbours err about as much as on the others. No network had been trained on this split
# then, but networks had been on other splits of the same pictures (see recipes/digits.py).
SALT = b"7"


@settings
class DigitsConfig:
    """The 1,797 handwritten digits of 8x8 pixels that come with scikit-learn ([D])."""

    kind: Literal["digits"] = "digits"

    def load(self) -> Splits:
        """Split them into 1,077 to learn from, 360 to choose with and 360 to test on.

        The split is by the content of the pictures, so it is the same everywhere. Each of the
        held-out parts has 36 pictures of every digit. Ink is light on dark; values 0..16 become
        0..255.
        """
        return _digits()


@lru_cache(maxsize=1)
def _digits() -> Splits:
    from sklearn.datasets import load_digits

    pixels, target = load_digits(return_X_y=True)
    labels = np.asarray(target, dtype=np.int64)
    pictures = np.asarray(pixels, dtype=np.uint8).reshape(-1, 8, 8)
    classes = tuple(str(digit) for digit in range(10))
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for digit in range(10):
        members = np.flatnonzero(labels == digit).tolist()
        ranked = sorted(
            members, key=lambda i: hashlib.sha256(SALT + pictures[i].tobytes()).digest()
        )
        parts[0].extend(ranked[2 * HELD_OUT :])
        parts[1].extend(ranked[HELD_OUT : 2 * HELD_OUT])
        parts[2].extend(ranked[:HELD_OUT])
    everything = ImageSet(
        torch.from_numpy((pictures.astype(np.uint16) * 255 // 16).astype(np.uint8))[:, None],
        torch.from_numpy(labels),
        classes,
    )
    train, validation, test = (everything.select(torch.tensor(part)) for part in parts)
    return Splits(train=train, validation=validation, test=test)
