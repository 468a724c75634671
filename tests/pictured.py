"""Pictures for tests: files whose content is known."""

import numpy as np
from PIL import Image

ORIENTATION = 0x0112


def photograph(width=64, height=48, seed=0):
    """Make a smooth picture whose every corner looks different, as an array H, W, 3."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def save(path, pixels=None, turn=None, **options):
    """Save an array (or a photograph) as a file, with an EXIF orientation if one is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if turn is not None:
        exif = Image.Exif()
        exif[ORIENTATION] = turn
        options["exif"] = exif
    Image.fromarray(photograph() if pixels is None else pixels).save(path, **options)
    return path


def class_folders(root, counts, size=(24, 16), ending=".png"):
    """Make root/CLASS/NUMBER.png, every picture another."""
    seed = 0
    for name, count in counts.items():
        for number in range(count):
            seed += 1
            save(root / name / f"{number:03d}{ending}", photograph(*size, seed=seed))
    return root
