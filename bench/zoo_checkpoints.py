"""How many of CIFAR-10's 10,000 test pictures the ResNet-20 and -56 of others get right here.

    python bench/zoo_checkpoints.py DATA

DATA holds resnet-cifar10/*.th (github.com/akamaster/pytorch_resnet_cifar10) and
cifar-10-batches-py/. Expected: 9,173 and 9,339, give or take 2 for the order of rounding.
"""

import pickle
import sys
from pathlib import Path

import numpy as np
import torch

from residua.nets.weights import load

EXPECTED = {"resnet20-12fca82f.th": 9_173, "resnet56-4bfd9763.th": 9_339}


def right(weights: Path, images: torch.Tensor, labels: torch.Tensor) -> int:
    """Count the pictures that a checkpoint classifies correctly."""
    loaded = load(weights)
    prepare = loaded.preprocessing
    count = 0
    with torch.inference_mode():
        for x, y in zip(images.split(500), labels.split(500), strict=True):
            logits = loaded.net(prepare(x / 255) if prepare else x / 255)
            count += int((logits.argmax(1) == y).sum())
    return count


def main(folder: Path) -> int:
    """Print a table; return 1 if a count is off by more than 2."""
    with (folder / "cifar-10-batches-py" / "test_batch").open("rb") as file:
        batch = pickle.load(file, encoding="bytes")
    images = torch.from_numpy(np.asarray(batch[b"data"]).reshape(-1, 3, 32, 32))
    labels = torch.tensor(batch[b"labels"])
    off = 0
    print("| checkpoint | right of 10,000 | expected |\n| --- | ---: | ---: |")
    for name, expected in EXPECTED.items():
        count = right(folder / "resnet-cifar10" / name, images, labels)
        off += abs(count - expected) > 2
        print(f"| {name} | {count:,} | {expected:,} |")
    print(f"\ntorch {torch.__version__}, float32, {torch.get_num_threads()} threads")
    return int(off > 0)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} DATA")
    sys.exit(main(Path(sys.argv[1])))
