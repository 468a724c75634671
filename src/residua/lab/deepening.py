"""A run goes on with a deeper net that starts as the function it has learned."""

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor, nn

from residua import events, execute, outcome, runs
from residua.data.loading import Pictures, whole
from residua.data.normalize import Normalize
from residua.nets.catalogue import NetConfig
from residua.nets.deepened import deeper
from residua.nets.describe import layers
from residua.nets.insert import ends
from residua.recipes.continued import continued, save_start, settings_of
from residua.surgery.deepen import deepen, output_change

# Training pictures that batch normalizations of plain nets are set with, and in a batch.
LOOKED_AT, BATCH = 1024, 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeepenPlan:
    """How a run is deepened.

    Attributes:
        blocks: new ones at the end of each stage: one number, or one for each stage.
        after: in place of `blocks`, names of the blocks that each get one behind them.
        updates: of the training that follows; by default half of the run's.
        lr: its highest rate; by default half of the run's.
        seed: of the new weights and of the training; by default that of the run.
        smoke: cut the training to two small updates.
    """

    blocks: tuple[int, ...] = (1,)
    after: tuple[str, ...] = ()
    updates: int | None = None
    lr: float | None = None
    seed: int | None = None
    smoke: bool = False


@dataclasses.dataclass(frozen=True, kw_only=True)
class Deepening:
    """What came of it.

    Attributes:
        net: settings of the deeper net.
        depths: weighted layers on the main path, before and after.
        parameters: trainable numbers, before and after.
        change: largest difference of the outputs at that moment, on training pictures.
        before: test error of the run, in percent; None if it has no result.
        result: of the training that followed.
    """

    net: NetConfig
    depths: tuple[int, int]
    parameters: tuple[int, int]
    change: float
    before: float | None
    result: outcome.Result


def deepen_run(
    folder: Path,
    plan: DeepenPlan,
    *,
    root: Path = Path("runs"),
    device: str = "auto",
    listen: events.Listener | None = None,
) -> Deepening:
    """Deepen the net of a run, and train it on in a new run.

    Args:
        folder: of the run.
        plan: what to do.
        root: the folder of all runs.
        device: where to train.
        listen: called with every event of the training.

    Raises:
        ConfigError: the net cannot be deepened so.
    """
    trained = runs.load(folder)
    old = settings_of(trained)
    images = trained.experiment.load_data().train
    seed = trained.experiment.seed if plan.seed is None else plan.seed
    after = plan.after or ends(trained.net, plan.blocks)
    config = deeper(old, after)
    inputs = list(_inputs(images, trained.normalize))
    net = deepen(trained.net, after=after, batches=inputs, seed=seed)
    start = runs.create(root, "surgery", f"{trained.experiment.name}_deepened")
    save_start(net, config, trained, start / "start.safetensors")
    experiment = continued(
        trained, "deepened", config, start / "start.safetensors", updates=plan.updates, lr=plan.lr
    )
    experiment = dataclasses.replace(experiment, seed=seed)
    known = outcome.recorded(folder)
    nets = (trained.net, net)
    return Deepening(
        net=config,
        depths=_pair(depth(each, trained.shape) for each in nets),
        parameters=_pair(sum(p.numel() for p in each.parameters()) for each in nets),
        change=output_change(trained.net, net, inputs[0]),
        before=known.test_error if isinstance(known, outcome.Result) else None,
        result=execute.run(
            experiment.smoke() if plan.smoke else experiment,
            root=root,
            device=device,
            listen=listen,
        ),
    )


def depth(net: nn.Module, shape: Sequence[int]) -> int:
    """Count weighted layers on the main path, as He et al. do."""
    return sum(row.multiply_adds > 0 and row.role == "main" for row in layers(net, shape))


def _inputs(images: Pictures, normalize: Normalize) -> Iterator[Tensor]:
    """Yield training pictures as the net takes them, those that come first."""
    seen = 0
    for views_NVChw in images.viewed(whole, BATCH):
        yield normalize(views_NVChw.flatten(0, 1))
        seen += len(views_NVChw)
        if seen >= LOOKED_AT:
            return


def _pair(values: Iterator[int]) -> tuple[int, int]:
    before, after = values
    return before, after
