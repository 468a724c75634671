"""Training from CIFAR-10 as a user runs it: ours against a short script with torchvision.

The script has torchvision's CIFAR10, its transforms on PIL pictures, a DataLoader with two workers
and float32, as tutorials do. Each of the two lives in a process of its own, whose rounds alternate;
the other waits meanwhile. Needs RESIDUA_DATA.
"""

import os
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

from harness import parser, report, table, verdict

BATCH = 128
BOUNDS = {20: 2.2, 56: 2.4}


def ours(depth, *, compiled):
    """Make `rounds(n)`: seconds of n updates, and of making their batches alone."""
    import dataclasses

    from residua import runtime
    from residua.nets.cifar import CifarConfig
    from residua.recipes.cifar import resnet20
    from residua.session import Session
    from residua.train.loop import update
    from residua.train.parallel import World

    runtime.hold_freed_memory()
    experiment = dataclasses.replace(resnet20(), net=CifarConfig(depth=depth), compile=compiled)
    task = Session(experiment, World(0, 1, torch.device("cpu"))).task()
    iterations = iter(range(10**9))

    def rounds(count):
        wanted = [next(iterations) for _ in range(count)]
        began = time.perf_counter()
        for iteration in wanted:
            update(task, iteration)
        middle = time.perf_counter()
        for iteration in wanted:
            task.batches[iteration]
        return middle - began, time.perf_counter() - middle

    return rounds


def script(depth):
    """The same, as a short script makes it; its workers make the batches meanwhile."""
    from torch.utils.data import DataLoader
    from torchvision import datasets, transforms

    from residua.nets.cifar import resnet

    class Cifar(datasets.CIFAR10):
        """Reads files whatever their checksum."""

        def _check_integrity(self):
            return True

        def _load_meta(self):
            self.classes = list("0123456789")

    class Files(Cifar):
        pass

    transform = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
        ]
    )
    data = _dataset(Files, transform)
    loader = DataLoader(data, BATCH, shuffle=True, num_workers=2, drop_last=True)
    net = resnet(depth)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-4)

    def endless():
        while True:
            yield from loader

    batches = endless()

    def rounds(count):
        began = time.perf_counter()
        for _ in range(count):
            images, labels = next(batches)
            optimizer.zero_grad()
            F.cross_entropy(net(images), labels).backward()
            optimizer.step()
        return time.perf_counter() - began, 0.0

    return rounds


def _dataset(kind, transform):
    """Torchvision's data set; pickles whose names are bytes are read as text first."""
    import pickle
    from unittest import mock

    load = pickle.load

    def as_text(file, **options):
        content = load(file, **options)
        return {k.decode() if isinstance(k, bytes) else k: v for k, v in content.items()}

    with mock.patch("pickle.load", as_text):
        return kind(os.environ["RESIDUA_DATA"], train=True, transform=transform)


class Side:
    """One of the two, in its own process."""

    def __init__(self, role, depth):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--role", role, "--depth", str(depth)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.times = []
        self.data = []
        self.go(3)

    def go(self, count):
        """Make `count` updates; return the seconds of one and of its batch."""
        self.process.stdin.write(f"{count}\n")
        self.process.stdin.flush()
        whole, data = map(float, self.process.stdout.readline().split())
        return whole / count, data / count

    def round(self, count):
        """Make updates and keep how long they took."""
        whole, data = self.go(count)
        self.times.append(whole)
        self.data.append(data)

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def play(role, depth):
    """Be one side: read how many updates to make, print how long they took."""
    made = script(depth) if role == "script" else ours(depth, compiled=role == "compiled")
    for line in sys.stdin:
        print(*made(int(line)), flush=True)


def compare(depth, rounds, roles):
    """Measure all roles on one network, in turns."""
    sides = {role: Side(role, depth) for role in roles}
    updates = max(2, 240 // depth)
    for _ in range(rounds):
        for side in sides.values():
            side.round(updates)
    for side in sides.values():
        side.close()
    return sides


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--depths", type=int, nargs="+", default=[20, 56])
    options.add_argument("--role", choices=("script", "ours", "compiled"))
    options.add_argument("--depth", type=int)
    chosen = options.parse_args()
    if chosen.role:
        play(chosen.role, chosen.depth)
        return
    rows, lines = [], []
    for depth in chosen.depths:
        sides = compare(depth, chosen.rounds, ("script", "ours", "compiled"))
        for role, side in sides.items():
            ratios = [a / b for a, b in zip(sides["script"].times, side.times, strict=True)]
            share = statistics.median(d / t for d, t in zip(side.data, side.times, strict=True))
            rows.append(
                [
                    f"ResNet-{depth}",
                    role,
                    f"{BATCH / statistics.median(side.times):,.0f}",
                    f"{statistics.median(ratios):.2f}",
                    "" if role == "script" else f"{100 * share:.1f}",
                ]
            )
            if role == "ours":
                what = f"ResNet-{depth}, ours over the script, median of the rounds' ratios"
                lines.append(verdict(what, statistics.median(ratios), BOUNDS[depth], at_most=False))
                what = f"ResNet-{depth}, share of the data path in a step, %"
                lines.append(verdict(what, 100 * share, 3, at_most=True))
    body = "\n".join(
        [
            table(["network", "side", "images/s (median)", "ratio", "data path %"], rows),
            "",
            f"n = {chosen.rounds} rounds in turn, batch {BATCH}. ours: `residua train` as it is; "
            "compiled: with `--compile`.",
            "",
            *lines,
        ]
    )
    report("training throughput", body, write=chosen.write)


if __name__ == "__main__":
    main()
