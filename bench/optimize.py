"""What `optimize` picks, against torchvision in PyTorch and against engines set up by hand.

    python bench/optimize.py [--rounds 15] [--run RUN]

ResNet-50 at batch 8 and ResNet-18 at batch 1, 224 pixels, weights as torchvision draws them. All
engines of a net take turns within each round; ratios are of medians. "By hand" is what the
documentation of each engine says, in the precision of what was picked, and given floats that are
normalized already; ours are given bytes and normalize them.

What int8 costs is shown on the test pictures of a net that was trained: --run, or else ResNet-20
trained on digits now. The ranges of int8 are from training pictures.
"""

import dataclasses
import statistics
import tempfile
import warnings
from importlib import metadata
from pathlib import Path

import torch
import torchvision

from harness import parser, report, table, verdict
from residua import execute, recipes, runs
from residua.data.normalize import Normalize
from residua.deploy.accuracy import Sample
from residua.deploy.engines.candidate import CANDIDATES
from residua.deploy.loader import openvino_core
from residua.deploy.optimize import optimize, optimized
from residua.deploy.optimize_run import taken, task_of
from residua.deploy.task import OptimizePlan
from residua.deploy.timing import interleaved

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NORMALIZE = Normalize.of(MEAN, STD)
# Depth, batch, and times as fast as torchvision that is wanted without int8.
CASES = ((50, 8, 3.8), (18, 1, 3.4))
INT8 = {50: 7.0}
TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def made(net, pixels, engines):
    """Let `optimize` choose; weights as drawn have no accuracy to hold to a budget."""
    plan = OptimizePlan(
        budget=100, batch_sizes=(len(pixels),), engines=engines, rounds=5, device="cpu", alone=False
    )
    return optimize(net, pixels, normalize=NORMALIZE, plan=plan)


def by_hand(net, floats, precision, chosen):
    """Set engines up as their documentation says, for one batch of normalized floats."""
    # The kernels of onnxruntime for processors have no convolution in bfloat16.
    found = {
        f"OpenVINO {precision}": with_openvino(net, floats, precision),
        "onnxruntime float32": with_onnxruntime(net, floats),
    }
    if not chosen.smoke:
        found[f"torch.compile, freezing, {precision}"] = compiled(net, floats, precision)
    return found


def compiled(net, floats, precision):
    import copy

    import torch._inductor.config

    torch._inductor.config.freezing = True
    own = copy.deepcopy(net).to(TYPES[precision]).to(memory_format=torch.channels_last)
    fast = torch.compile(own)
    given = floats.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def run():
        return fast(given.to(TYPES[precision])).float()

    run()
    return run


def with_openvino(net, floats, precision):
    core = openvino_core()
    import openvino

    model = openvino.convert_model(net, example_input=floats, input=list(floats.shape))
    hint = {"float32": "f32", "bfloat16": "bf16"}[precision]
    threads = torch.get_num_threads()
    options = {"INFERENCE_PRECISION_HINT": hint, "PERFORMANCE_HINT": "LATENCY"}
    fast = core.compile_model(model, "CPU", options | {"INFERENCE_NUM_THREADS": threads})
    given = floats.numpy()
    return lambda: fast(given)[0]


def with_onnxruntime(net, floats):
    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        torch.onnx.export(net, (floats,), path, dynamo=True, verbose=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name, given = session.get_inputs()[0].name, floats.numpy()
    return lambda: session.run(None, {name: given})[0]


def eager(net, floats):
    @torch.inference_mode()
    def run():
        return net(floats)

    return run


def case(depth, batch, bound, chosen):
    """Measure one net; rows of the table and verdicts."""
    torch.manual_seed(0)
    net = getattr(torchvision.models, f"resnet{depth}")().eval()
    generator = torch.Generator().manual_seed(0)
    size = (batch, 3, chosen.side, chosen.side)
    pixels = torch.randint(0, 256, size, dtype=torch.uint8, generator=generator)
    floats = NORMALIZE(pixels).contiguous()
    usual = tuple(
        each
        for each in CANDIDATES
        if each.precision != "int8" and not (chosen.smoke and each.kind == "compiled")
    )
    fast = made(net, pixels, usual)
    precision = fast.facts.precision
    hand = by_hand(net, floats, precision, chosen)
    calls = {"torchvision, eager float32": eager(net, floats)}
    calls[f"optimize: {fast.facts.candidate.name}"] = lambda: fast(pixels)
    calls |= {f"by hand: {name}": call for name, call in hand.items()}
    if depth in INT8:
        eight = made(net, pixels, tuple(each for each in CANDIDATES if each.precision == "int8"))
        calls[f"optimize: {eight.facts.candidate.name}"] = lambda: eight(pixels)
    times = [
        statistics.median(each) for each in interleaved(list(calls.values()), rounds=chosen.rounds)
    ]
    what = f"ResNet-{depth}, batch {batch}"
    rows = [
        [what, name, f"{1000 * time / batch:.2f}", f"{times[0] / time:.2f}"]
        for name, time in zip(calls, times, strict=True)
    ]
    known = dict(zip(hand, times[2:], strict=False))
    best = min(time for name, time in known.items() if name.endswith(precision))
    verdicts = [
        verdict(
            f"{what}, times torchvision without int8", times[0] / times[1], bound, at_most=False
        ),
        verdict(f"{what}, times the best by hand", best / times[1], 0.97, at_most=False),
    ]
    if depth in INT8:
        verdicts.append(
            verdict(
                f"{what}, int8 times torchvision", times[0] / times[-1], INT8[depth], at_most=False
            )
        )
    return rows, verdicts


def trained(chosen, root):
    """Find the run whose accuracy is held to the budget, or train one."""
    if chosen.run:
        return runs.find(chosen.run, Path("runs"))
    experiment = recipes.find("digits.resnet20")
    experiment = experiment.smoke() if chosen.smoke else experiment
    return execute.run(experiment, root=root, page=False).folder


def accuracy(chosen):
    """Compare every engine with a trained net: rows of the table and a verdict."""
    with tempfile.TemporaryDirectory() as root:
        folder = trained(chosen, Path(root))
        loaded = runs.load(folder)
        task, ranges = task_of(loaded, 1)
        # Nothing is chosen here, so that it may be the test part.
        part = loaded.experiment.load_data().test
        part = part.select(torch.arange(min(len(part), chosen.pictures)))
        sample = Sample(taken(part), part.labels, f"{len(part):,} test pictures")
        task = dataclasses.replace(task, sample=sample)
        engines = tuple(each for each in CANDIDATES if each.kind != "compiled")
        plan = OptimizePlan(engines=engines, rounds=3, device="cpu", alone=False)
        found = optimized(task, plan, None)
    name = f"{folder.parent.name}/{folder.name}"
    rows = [
        [
            name,
            row.name,
            f"{row.agreement:.2f}",
            f"{row.error:.2f}",
            f"{row.change:+.2f}",
            row.status,
        ]
        for row in found.rows
        if row.agreement is not None
    ]
    eight = next(row for row in found.rows if row.name == "OpenVINO int8")
    words = f"{name}, points of error that int8 costs on {task.sample.words} (ranges from {ranges})"
    return rows, [verdict(words, eight.change, plan.budget, at_most=True)]


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    options.add_argument("--run", help="a run whose net int8 is held to; by default one is trained")
    options.add_argument("--pictures", type=int, default=10_000, help="to compare on, at most")
    options.add_argument("--smoke", action="store_true", help="see that it runs at all")
    chosen = options.parse_args()
    chosen.side = 64 if chosen.smoke else 224
    warnings.simplefilter("ignore")
    rows, verdicts = [], []
    for depth, batch, bound in CASES:
        more, said = case(depth, batch, bound, chosen)
        rows += more
        verdicts += said
    costs, said = accuracy(chosen)
    speed = table(["net", "engine", "ms per picture", "times torchvision"], rows)
    cost = table(["run", "engine", "agrees, %", "error, %", "change", "status"], costs)
    note = (
        f"Medians of {chosen.rounds} interleaved rounds, {torch.get_num_threads()} threads, "
        f"{chosen.side} pixels; torchvision {torchvision.__version__}, OpenVINO "
        f"{metadata.version('openvino')}. n = 1 run for the accuracy."
    )
    body = "\n\n".join([speed, note, cost, "\n".join([*verdicts, *said])])
    report("optimize", body, write=chosen.write)


if __name__ == "__main__":
    main()
