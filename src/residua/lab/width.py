"""A wide and a deep network of equal parameters: what they err, and how long they take.

Sources:
    [W] Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, sections 2.3 and 3: width
        is the cheaper way to capacity, since wide layers are computed side by side.
    [U] Ye, Residual Learning (slides), University of Queensland, "Wide Residual Networks".
"""

import dataclasses
from collections.abc import Callable, Sequence

import torch

from residua import runtime
from residua.errors import ConfigError
from residua.experiment import Experiment
from residua.lab.compared import Comparison, Setting
from residua.lab.equal import parameters
from residua.lab.ground import Ground
from residua.nets.wide import WIDTHS, WideConfig
from residua.report.width import NetTime
from residua.session import Session
from residua.train.loop import update
from residua.train.parallel import World

# By how much of the deep net's parameters the wide one may differ.
TOLERANCE = 0.02
SHALLOWEST, STEP = 10, 6

# Of each round, and before the first one.
UPDATES, WARM = 4, 3
PASSES_OF_ONE = 20

NOTES = (
    "Both are pre-activation nets with the same units, of two 3x3 convolutions, on the same stem: "
    "only the number of units and of channels differ. The deep net has a widening of 1; the wide "
    "one is the shallowest net of 6N+4 layers for which some whole number of channels comes within "
    "2 % of the deep one's parameters.",
    "The claim is that width is the cheaper way: the same parameters in fewer and wider layers "
    "need about the same multiply-adds, but are computed with fewer steps one after another. How "
    "much that saves depends on the machine, and on how large the pictures are.",
)


def name(net: WideConfig) -> str:
    """Return the paper's name of a net, WRN-n-k."""
    return f"WRN-{net.depth}-{net.widen:g}"


def wide_twin(deep: WideConfig) -> WideConfig:
    """Choose the shallowest net with the parameters of a deep one, to within 2 %.

    Of each depth, the widening that comes closest counts; widths are whole channels.

    Raises:
        ConfigError: no shallower net comes so close.
    """
    wanted = parameters(deep)
    for depth in range(SHALLOWEST, deep.depth, STEP):
        found = _closest(dataclasses.replace(deep, depth=depth), wanted)
        if abs(parameters(found) - wanted) <= TOLERANCE * wanted:
            return found
    raise ConfigError(
        f"no net shallower than {deep.depth} layers has its {wanted:,} parameters to within "
        f"{TOLERANCE:.0%}: try 28 or more layers"
    )


def width(on: Ground, deep: int = 40) -> Comparison:
    """Say what is compared.

    Args:
        on: what is learned from.
        deep: layers of the deep net, 6N+4.

    Raises:
        ConfigError: there is no net of such a depth, or no wide net of equal parameters.
    """
    long = WideConfig(
        depth=deep, widen=1.0, in_channels=on.net.in_channels, num_classes=on.net.num_classes
    )
    nets = (wide_twin(long), long)
    settings = [
        Setting(
            name=name(net),
            does=f"{net.depth} layers of {', '.join(str(int(w * net.widen)) for w in WIDTHS)} "
            f"channels, {parameters(net):,} parameters",
            experiment=dataclasses.replace(
                on.experiment, name=f"{on.name}.{name(net).lower()}", net=net, claims=(), seed=0
            ),
        )
        for net in nets
    ]
    return Comparison(
        name="width",
        title=f"{name(nets[0])} and {name(nets[1])}, of equal parameters",
        settings=settings,
        source="After Zagoruyko and Komodakis 2016, arXiv:1605.07146.",
        notes=NOTES,
    )


def measure_times(
    settings: Sequence[tuple[str, Experiment]], *, device: str = "auto", rounds: int = 9
) -> list[NetTime]:
    """Measure updates and inference of several nets, round by round one after the other.

    An update is one of the training itself, the making of its batch included. What disturbs the
    machine for a while disturbs all nets.

    Args:
        settings: names, and the experiments to take updates from.
        device: where.
        rounds: of measurements.
    """
    target = runtime.pick_device(device)
    updates = [_updates(experiment, target) for _, experiment in settings]
    passes = [_passes(experiment, target) for _, experiment in settings]
    found: list[NetTime] = []
    rows = [_interleaved(each, rounds, target) for each in (updates, *zip(*passes, strict=True))]
    for (title, experiment), trained, one, many in zip(settings, *rows, strict=True):
        size = experiment.batch_size
        found.append(
            NetTime(
                name=title,
                batch_size=size,
                update=tuple(seconds / UPDATES for seconds in trained),
                one=tuple(seconds / PASSES_OF_ONE for seconds in one),
                many=tuple(many),
            )
        )
    return found


def _closest(net: WideConfig, wanted: int) -> WideConfig:
    """Widen a net, a channel of the first group at a time, until it comes closest to a count."""
    channels, best = WIDTHS[0], net
    while True:
        wider = dataclasses.replace(net, widen=channels / WIDTHS[0])
        count = parameters(wider)
        if abs(count - wanted) <= abs(parameters(best) - wanted):
            best = wider
        if count >= wanted:
            return best
        channels += 1


Work = Callable[[], object]


def _updates(experiment: Experiment, device: torch.device) -> Work:
    """Return what makes some updates of a training."""
    task = Session(experiment, World(0, 1, device)).task()
    count = 0

    def work() -> None:
        nonlocal count
        for _ in range(UPDATES):
            update(task, count % task.schedule.until)
            count += 1

    return work


def _passes(experiment: Experiment, device: torch.device) -> tuple[Work, Work]:
    """Return what names one picture, some times, and what names a batch of pictures."""
    net = experiment.build_net().eval().to(device).to(memory_format=torch.channels_last)
    dtype = runtime.pick_dtype(experiment.precision, device)
    shape = experiment.load_data().train.shape
    random = runtime.generator(0, "width", "pictures")
    many = torch.randn(experiment.batch_size, *shape, generator=random).to(device)
    many = many.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def passes(inputs: torch.Tensor, count: int) -> None:
        with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
            for _ in range(count):
                net(inputs)

    return (lambda: passes(many[:1], PASSES_OF_ONE)), (lambda: passes(many, 1))


def _interleaved(works: Sequence[Work], rounds: int, device: torch.device) -> list[list[float]]:
    """Time each work once in every round, after some that count for nothing."""
    for work in works:
        for _ in range(WARM):
            work()
    seconds: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, into in zip(works, seconds, strict=True):
            began = runtime.now(device)
            work()
            into.append(runtime.now(device) - began)
    return seconds
