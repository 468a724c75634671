"""Training step of ResNet-20 on 32x32 pictures: ours against eager float32 in N, C, H, W order.

Both have the same network, batch size and loss. Ours is the update that `residua train` makes, the
making of its batch included; the other is what a short script does, with its batch at hand. The
rounds of the two alternate.
"""

import statistics
import time

import torch
import torch.nn.functional as F

from harness import parser, report, table, verdict
from residua.data.augment import PadCropFlip
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.experiment import Experiment
from residua.nets.cifar import CifarConfig, resnet
from residua.session import Session
from residua.train.loop import update
from residua.train.parallel import World
from residua.train.schedule import StepsConfig

BATCH = 128


def ours():
    """The update of a session on 5,000 pictures of noise, in the precision it picks itself."""
    noise = ImageSet(
        torch.randint(0, 256, (5000, 3, 32, 32), dtype=torch.uint8),
        torch.randint(0, 10, (5000,)),
        tuple("0123456789"),
    )
    experiment = Experiment(
        net=CifarConfig(depth=20),
        data=Splits(train=noise, validation=noise, test=noise),
        schedule=StepsConfig(),
        augment=PadCropFlip(),
        batch_size=BATCH,
    )
    session = Session(experiment, World(0, 1, torch.device("cpu")))
    task = session.task()
    iterations = iter(range(10**9))
    return session.dtype, lambda: update(task, next(iterations))


def plain():
    """A step as short scripts make it."""
    net = resnet(20)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)
    images, labels = torch.randn(BATCH, 3, 32, 32), torch.randint(0, 10, (BATCH,))

    def step():
        optimizer.zero_grad()
        F.cross_entropy(net(images), labels).backward()
        optimizer.step()

    return step


def seconds(step, repeats):
    began = time.perf_counter()
    for _ in range(repeats):
        step()
    return (time.perf_counter() - began) / repeats


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=9)
    chosen = options.parse_args()
    dtype, fast = ours()
    steps = {f"ours ({dtype}, channels last)": fast, "eager float32, N C H W": plain()}
    for step in steps.values():
        seconds(step, 3)
    times = {name: [] for name in steps}
    for _ in range(chosen.rounds):
        for name, step in steps.items():
            times[name].append(seconds(step, 4))
    mine, theirs = times.values()
    ratios = [b / a for a, b in zip(mine, theirs, strict=True)]
    rows = [
        [
            name,
            f"{BATCH / statistics.median(t):,.0f}",
            f"{1e3 * min(t):.1f}",
            f"{1e3 * statistics.median(t):.1f}",
        ]
        for name, t in times.items()
    ]
    body = "\n".join(
        [
            table(["ResNet-20, batch 128", "images/s (median)", "min ms", "median ms"], rows),
            "",
            f"n = {chosen.rounds} interleaved rounds of 4 updates.",
            "",
            verdict(
                "images/s, ours over eager float32, median of the rounds' ratios",
                statistics.median(ratios),
                1.6,
                at_most=False,
            ),
        ]
    )
    report("training step", body, write=chosen.write)


if __name__ == "__main__":
    main()
