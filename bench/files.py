"""Reading training batches from files, beside torchvision's ImageFolder and transforms.v2.

Both read the same JPEGs with as many workers and take the crop of He et al. 2015 (shorter side 256
to 480, random 224, mirrored half the time) as bytes N, 3, 224, 224; nothing is trained. Passes
alternate, and the ratio is of the medians. Both read ahead while the other is measured, so each
pass begins with batches that are not counted.
"""

import itertools
import os
import statistics
import tempfile
import time
from pathlib import Path

import torch
from PIL import Image
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import v2

from harness import parser, report, table, verdict
from residua.data.folder import FilesConfig
from residua.data.loading import Serving

BATCH = 64
# More batches than either reads ahead with two workers.
SETTLE = 8
KINDS = {"500x375": ((500, 375), 1.0), "4000x3000": ((4000, 3000), 3.0)}


def sources():
    """Return photographs to enlarge: those of imagenet-sample100, or textures."""
    folder = Path(os.environ.get("RESIDUA_DATA", "")) / "imagenet-sample100"
    if os.environ.get("RESIDUA_DATA") and folder.is_dir():
        return [Image.open(path).convert("RGB") for path in sorted(folder.glob("*.jpg"))]
    noise = torch.Generator().manual_seed(0)
    coarse = torch.randint(0, 256, (20, 48, 64, 3), generator=noise, dtype=torch.uint8)
    return [Image.fromarray(array) for array in coarse.numpy()]


def write(root, size, count):
    """Write photographs of one size with the detail of the sensor: a little noise at the end."""
    pictures = itertools.cycle(sources())
    for number in range(count):
        folder = root / ("a" if number % 2 else "b")
        folder.mkdir(parents=True, exist_ok=True)
        picture = next(pictures).resize(size, Image.Resampling.BICUBIC)
        grain = Image.effect_noise(size, 12).convert("RGB")
        Image.blend(picture, grain, 0.3).save(folder / f"{number:05d}.jpg", quality=90)


class Jitter(torch.nn.Module):
    """The shorter side to a length drawn anew for every picture."""

    def forward(self, picture):
        short = int(torch.randint(256, 481, ()))
        return v2.functional.resize(picture, [short], antialias=True)


def theirs(root, workers):
    crop = v2.Compose([Jitter(), v2.RandomCrop(224), v2.RandomHorizontalFlip(), v2.PILToTensor()])
    loader = DataLoader(
        ImageFolder(root, crop),
        BATCH,
        shuffle=True,
        drop_last=True,
        num_workers=workers,
        persistent_workers=workers > 0,
    )
    stream = itertools.chain.from_iterable(itertools.repeat(loader))
    return lambda: next(stream)


def ours(root, workers):
    files = FilesConfig(path=str(root), workers=workers, validation=0.0, test=0.01).load().train
    serving = Serving(batch_size=BATCH, seed=0, augment=lambda x, _: x, normalize=lambda x: x)
    batches, iteration = files.batches(serving), itertools.count()
    return lambda: batches[next(iteration)]


def rate(ask, batches):
    """Return pictures per second."""
    began = time.perf_counter()
    for _ in range(batches):
        ask()
    return batches * BATCH / (time.perf_counter() - began)


def main():
    options = parser(__doc__)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("--pictures", type=int, default=256, help="files of each size")
    options.add_argument("--batches", type=int, default=6, help="of each pass")
    options.add_argument("--passes", type=int, default=5)
    chosen = options.parse_args()
    torch.set_num_threads(1)
    rows, verdicts = [], []
    for name, (size, bound) in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder), size, chosen.pictures)
            readers = [make(folder, chosen.workers) for make in (theirs, ours)]
            for ask in readers:
                rate(ask, 3)  # workers start, files come into the cache
            rates = [[], []]
            for _ in range(chosen.passes):
                for ask, found in zip(readers, rates, strict=True):
                    rate(ask, SETTLE)
                    found.append(rate(ask, chosen.batches))
            medians = [statistics.median(found) for found in rates]
            spread = [f"{min(found):.0f} to {max(found):.0f}" for found in rates]
            rows.append([name, *(f"{m:.0f} ({s})" for m, s in zip(medians, spread, strict=True))])
            rows[-1].append(f"{medians[1] / medians[0]:.2f}")
            verdicts.append(
                verdict(f"{name}, ratio", medians[1] / medians[0], bound, at_most=False)
            )
    columns = ["JPEGs", "torchvision, images/s", "ours, images/s", "ratio"]
    body = (
        f"{chosen.workers} workers, batch {BATCH}, median of {chosen.passes} passes of "
        f"{chosen.batches} batches (smallest to largest), passes alternating\n\n"
        f"{table(columns, rows)}\n\n" + "\n".join(verdicts)
    )
    report("files", body, write=chosen.write)


if __name__ == "__main__":
    main()
