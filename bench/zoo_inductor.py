"""One net of each family through `torch.compile` with inductor: how far its logits move.

    python bench/zoo_inductor.py [name ...]

Needs a C++ compiler, and on a CPU 20 to 60 s for a net.
"""

import sys
import time

import torch

from harness import parser, report, table
from residua.nets.catalogue import find

FAMILIES = (
    "cifar.resnet20",
    "cifar.preresnet20",
    "wide.wrn16-4",
    "imagenet.resnet18",
    "highway.mnist10",
    "dense.residual10",
    "mnist.residual34",
    "vgg.vgg16",
)


def main() -> int:
    """Write a table; return 1 if some logits move by more than a thousandth of their size."""
    options = parser(__doc__)
    options.add_argument("names", nargs="*", default=FAMILIES)
    chosen = options.parse_args()
    rows, worse = [], 0
    for name in chosen.names:
        config = find(name)
        torch.manual_seed(0)
        net, x = config.build(), torch.randn(2, *config.input_shape)
        net.train()
        with torch.no_grad():
            net(x)  # statistics for batch normalization
        net.eval()
        began = time.perf_counter()
        with torch.no_grad():
            compiled, eager = torch.compile(net)(x), net(x)
        difference, size = float((compiled - eager).abs().max()), float(eager.abs().max())
        worse += difference > 1e-3 * size
        elapsed = time.perf_counter() - began
        rows.append([name, f"{elapsed:.0f}", f"{difference:.1e}", f"{size:.2g}"])
    columns = ["net, float32", "seconds", "largest difference", "of logits up to"]
    report("zoo inductor", table(columns, rows), write=chosen.write)
    return int(worse > 0)


if __name__ == "__main__":
    sys.exit(main())
