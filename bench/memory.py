"""A training step with recomputation against one without: memory, time and equal bits.

    python bench/memory.py [--quick] [--write]

Each step is made in a fresh process, in the same precision and from the same seed. Peak memory is
the rise of the resident set over its value before the first of three updates: the high-water mark
of the kernel, reset there. Time is that of the fastest of them. The processes of plain and
recomputed training alternate; the first is plain, and the memory that recomputed training is given
is a fraction of what it took. Below, the planner against plain steps of nets it was not tuned on.
"""

import hashlib
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import torch

from harness import parser, report, table, verdict
from residua import runtime
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.experiment import Experiment
from residua.nets import catalogue
from residua.session import Session
from residua.train.loop import update
from residua.train.memory import Plan, choose, size
from residua.train.parallel import World
from residua.train.recompute import Segment
from residua.train.schedule import StepsConfig

STEPS = 3
FULL = ("cifar.resnet1202", 128)
QUICK = ("cifar.resnet110", 128)
# What recomputed training is given of what plain training took.
FRACTION, QUICK_FRACTION = 2 / 13, 1 / 2
# None of them was looked at when the constants of the planner were chosen.
OTHERS = {
    "cifar.preresnet164": (64, 192),
    "wide.wrn16-4": (64, 192),
    "highway.cifar19": (128, 384),
    "imagenet.resnet18": (16, 48),
    "imagenet.resnet50": (12, 24),
}
QUICK_OTHERS = {"cifar.resnet20": (64, 128)}
SMALLER, SLOWER, WITHIN_BYTES, WITHIN_SECONDS = 6, 1.45, 15, 25


def session(name, batch, precision):
    """Bring a net to life on pictures of noise."""
    config = catalogue.find(name)
    channels, height, width = config.input_shape
    generator = runtime.generator(0, "noise")
    noise = ImageSet(
        torch.randint(
            256, (2 * batch, channels, height, width), dtype=torch.uint8, generator=generator
        ),
        torch.randint(10, (2 * batch,), generator=generator),
        tuple(map(str, range(config.num_classes))),
    )
    experiment = Experiment(
        net=config,
        data=Splits(train=noise, validation=None, test=noise),
        schedule=StepsConfig(lr=0.01),
        batch_size=batch,
        precision=precision,
    )
    return Session(experiment, World(0, 1, torch.device("cpu")))


def resident(field):
    """Read a line of /proc/self/status that is in kB, as bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return 1024 * int(line.split()[1])
    raise SystemExit(f"/proc/self/status has no {field}: this benchmark needs Linux")


def measure(name, batch, precision, segments, rise):
    """Make three updates; this runs in a process of its own."""
    runtime.return_freed_memory()
    made = session(name, batch, precision)
    if segments:
        made.plan = Plan(
            batch=batch,
            segments=tuple(Segment(**{**s, "inner": tuple(s["inner"])}) for s in segments),
            rise=rise,
            peak=0,
            plain=0,
            seconds=0.0,
            plain_seconds=0.0,
        )
    task = made.task()
    task.net.train()
    runtime.release_freed_memory(torch.device("cpu"))
    Path("/proc/self/clear_refs").write_text("5")
    before = resident("VmRSS")
    seconds = []
    for iteration in range(STEPS):
        began = time.perf_counter()
        update(task, iteration)
        seconds.append(time.perf_counter() - began)
        runtime.hold_freed_memory()
    risen = resident("VmHWM") - before
    digest = hashlib.sha256()
    for key, value in made.net.state_dict().items():
        digest.update(key.encode() + value.contiguous().numpy().tobytes())
    return {"rise": risen, "seconds": min(seconds), "sha256": digest.hexdigest()}


def apart(*arguments):
    """Run a function of this script in a fresh process."""
    words = [sys.executable, __file__, "--apart", json.dumps(arguments)]
    return json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)


def predict(name, batch, precision, budget):
    """Plan a step within so many bytes, or a plain one; this runs in a process of its own too."""
    return choose(session(name, batch, precision).profile(), batch, budget).record()


def compared(chosen):
    """Recomputed against plain training of the deep net."""
    name, batch = QUICK if chosen.quick else FULL
    fraction = chosen.fraction or (QUICK_FRACTION if chosen.quick else FRACTION)
    plan = {}
    rows, ratios, slower = [], [], []
    equal = True
    for number in range(chosen.rounds):
        order = ("plain", "recomputed") if number % 2 == 0 else ("recomputed", "plain")
        found = {}
        for which in order:
            segments = plan["segments"] if which == "recomputed" else []
            rise = plan["rise"] if which == "recomputed" else None
            found[which] = apart("measure", name, batch, chosen.precision, segments, rise)
            if not plan:
                budget = int(fraction * found[which]["rise"])
                plan = apart("predict", name, batch, chosen.precision, budget)
        plain, ours = found["plain"], found["recomputed"]
        equal &= plain["sha256"] == ours["sha256"]
        ratios.append(ours["rise"] / plain["rise"])
        slower.append(ours["seconds"] / plain["seconds"])
        for which, one in (("plain", plain), ("recomputed", ours)):
            predicted = plan["plain" if which == "plain" else "peak"]
            rows.append(
                [
                    which,
                    size(one["rise"]),
                    size(predicted),
                    f"{100 * (predicted / one['rise'] - 1):+.1f} %",
                    f"{one['seconds']:.2f}",
                    one["sha256"][:16],
                ]
            )
    columns = ["", "peak memory", "predicted", "error", "seconds a step", "sha256 of the state"]
    return [
        f"{name}, batch {batch}, {chosen.precision}, {STEPS} updates, n = {chosen.rounds} rounds. "
        f"{plan['sentence']}.",
        "",
        table(columns, rows),
        "",
        verdict("memory, plain over recomputed", 1 / max(ratios), SMALLER, at_most=False),
        verdict("time, recomputed over plain", statistics.median(slower), SLOWER, at_most=True),
        f"- weights and batch-norm statistics after {STEPS} updates: "
        f"**{'identical' if equal else 'NOT identical'}**",
    ]


def predicted(chosen):
    """The planner against plain steps."""
    rows, bytes_off, seconds_off = [], [0.0], []
    for name, batches in (QUICK_OTHERS if chosen.quick else OTHERS).items():
        for batch in batches:
            plan = apart("predict", name, batch, chosen.precision, None)
            found = apart("measure", name, batch, chosen.precision, [], None)
            off = 100 * (plan["plain"] / found["rise"] - 1)
            late = 100 * (plan["plain_seconds"] / found["seconds"] - 1)
            if found["rise"] > 1e9:
                bytes_off.append(abs(off))
            seconds_off.append(abs(late))
            rows.append(
                [
                    name,
                    str(batch),
                    size(found["rise"]),
                    size(plan["plain"]),
                    f"{off:+.1f} %",
                    f"{found['seconds']:.3f}",
                    f"{plan['plain_seconds']:.3f}",
                    f"{late:+.1f} %",
                ]
            )
    columns = ["net", "batch", "memory", "predicted", "error"]
    columns += ["seconds a step", "predicted", "error"]
    return [
        table(columns, rows),
        "",
        verdict(
            "largest error of memory above 1 GB, percent",
            max(bytes_off),
            WITHIN_BYTES,
            at_most=True,
        ),
        verdict("largest error of time, percent", max(seconds_off), WITHIN_SECONDS, at_most=True),
    ]


def main():
    options = parser(__doc__)
    options.add_argument("--quick", action="store_true", help="a small net, to see that it runs")
    options.add_argument("--rounds", type=int, default=1, help="plain and recomputed, each once")
    options.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    options.add_argument("--fraction", type=float, help="of the plain peak that is given")
    options.add_argument("--apart", help="used by the script itself")
    chosen = options.parse_args()
    if chosen.apart:
        function, *arguments = json.loads(chosen.apart)
        print(json.dumps({"measure": measure, "predict": predict}[function](*arguments)))
        return
    body = ["## Recomputation", "", *compared(chosen), "", "## The planner", "", *predicted(chosen)]
    report("memory", "\n".join(body), write=chosen.write)


if __name__ == "__main__":
    main()
