"""One net of each family through `torch.compile` with inductor: how far its logits move.

    python bench/zoo_inductor.py [name ...]

Needs a C++ compiler, and on a CPU 20 to 60 s for a net.
"""

import sys
import time

import torch

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


def main(names: list[str]) -> int:
    """Print a table; return 1 if some logits move by more than a thousandth of their size."""
    print("| net | seconds | largest difference | of logits up to |\n| --- | ---: | ---: | ---: |")
    worse = 0
    for name in names:
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
        print(f"| {name} | {time.perf_counter() - began:.0f} | {difference:.1e} | {size:.2g} |")
    print(f"\ntorch {torch.__version__}, {torch.get_num_threads()} threads, float32")
    return int(worse > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or list(FAMILIES)))
