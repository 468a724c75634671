"""ResNet-18 and -50, ours against torchvision's: images/s of forward and of a training step.

    python bench/zoo_speed.py [--rounds 15]

The two nets have the same weights and settings and take turns within each round, so that what the
machine does besides falls on both. The ratio is ours by theirs, of the medians over the rounds.
"""

import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from harness import parser, report
from residua.nets.convert import from_theirs
from residua.nets.imagenet import resnet

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SIZES = {"cpu": {18: (8, 4), 50: (4, 2)}, "cuda": {18: (256, 128), 50: (128, 64)}}[DEVICE]


def seconds(run: Callable[[], object]) -> float:
    """Time one call, with what it left running on the device."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    began = time.perf_counter()
    run()
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def forward(net: nn.Module, batch: int) -> Callable[[], object]:
    """Prepare a forward in eval mode."""
    x = torch.randn(batch, 3, 224, 224, device=DEVICE).to(memory_format=torch.channels_last)

    def run() -> object:
        net.eval()
        with torch.inference_mode():
            return net(x)

    return run


def training(net: nn.Module, batch: int) -> Callable[[], object]:
    """Prepare a training step: forward, backward, SGD with momentum."""
    x = torch.randn(batch, 3, 224, 224, device=DEVICE).to(memory_format=torch.channels_last)
    labels = torch.randint(1000, (batch,), device=DEVICE)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-6, momentum=0.9)

    def run() -> object:
        net.train()
        optimizer.zero_grad()
        F.cross_entropy(net(x), labels).backward()
        return optimizer.step()

    return run


def compare(
    ours: Callable[[], object], theirs: Callable[[], object], rounds: int
) -> tuple[list[float], list[float]]:
    """Time both in turn, the first to go alternating, after two rounds that do not count."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 2):
        for which in (0, 1) if number % 2 else (1, 0):
            elapsed = seconds((ours, theirs)[which])
            if number >= 2:
                times[which].append(elapsed)
    return times


def row(what: str, batch: int, times: tuple[list[float], list[float]]) -> str:
    """Write one line of the table: images/s by median and by minimum of the times."""
    cells = [what, str(batch)]
    for pick in (statistics.median, min):
        ours, theirs = (pick(t) for t in times)
        cells += [f"{batch / ours:.1f}", f"{batch / theirs:.1f}", f"{theirs / ours:.3f}"]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure both depths and write the table."""
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    chosen = options.parse_args()
    lines = [
        "| what | batch | ours, images/s | theirs | ratio | ours, best | theirs, best | ratio |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for depth, (large, small) in SIZES.items():
        theirs = getattr(torchvision.models, f"resnet{depth}")()
        ours = resnet(depth, stride_on="3x3")
        ours.load_state_dict(from_theirs(theirs.state_dict(), ours))
        nets = [net.to(DEVICE, memory_format=torch.channels_last) for net in (ours, theirs)]
        for name, make, batch in (("forward", forward, large), ("training", training, small)):
            times = compare(make(nets[0], batch), make(nets[1], batch), chosen.rounds)
            lines.append(row(f"ResNet-{depth} {name}", batch, times))
    note = (
        f"Ours by torchvision {torchvision.__version__}'s, wanted at least 0.98: medians, then "
        f"fastest, of {chosen.rounds} interleaved rounds; float32, channels_last, {DEVICE}."
    )
    report("zoo speed", "\n".join([*lines, "", note]), write=chosen.write)


if __name__ == "__main__":
    main()
