"""Runs opened to look inside: the trained net with some of the run's own pictures."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from residua import config, events, runs, runtime
from residua.data.loading import Batch, Pictures, Splits
from residua.data.views import Whole
from residua.errors import CheckpointError, ConfigError
from residua.experiment import Experiment

Part = Literal["train", "validation", "test"]
Which = Literal["best", "last", "drawn"]
T = TypeVar("T")

# As many as there are kinds of lines that can be told apart in grey.
MOST_NETWORKS = 5


@dataclasses.dataclass(frozen=True)
class Opened:
    """A run's network, with pictures to look at it with; it computes in float32.

    Attributes:
        folder: of the run.
        label: the recipe, and the run's own name where two networks of a recipe differ.
        net: in eval mode, on the device.
        batches: pictures as the net takes them, and labels.
        part: of the run's data that the pictures are from.
        there: how many pictures that part has.
        fingerprint: of the pictures chosen.
    """

    folder: Path
    label: str
    net: nn.Module
    batches: tuple[Batch, ...]
    part: Part
    there: int
    fingerprint: str

    @property
    def inputs(self) -> list[Tensor]:
        """The pictures without their labels."""
        return [batch.images for batch in self.batches]

    @property
    def pictures(self) -> int:
        """How many pictures were chosen."""
        return sum(len(batch.labels) for batch in self.batches)

    @torch.no_grad()
    def error(self, net: nn.Module) -> float:
        """Return the top-1 error of a net on the pictures, in percent."""
        wrong = sum(int((net(b.images).argmax(1) != b.labels).sum()) for b in self.batches)
        return 100 * wrong / self.pictures


def loss(net: nn.Module, batch: Batch) -> Tensor:
    """Return the mean cross-entropy in nats, without what a training adds to it."""
    return F.cross_entropy(net(batch.images).float(), batch.labels)


def open_runs(
    folders: Sequence[Path],
    *,
    part: Part | None = None,
    pictures: int = 512,
    weights: Which | None = None,
    device: str = "auto",
) -> list[Opened]:
    """Open finished runs of classifiers; those of equal settings but for the seed share a label.

    Args:
        folders: of the runs.
        part: of each run's data; validation pictures if not given, test pictures without those.
        pictures: how many at the most, drawn at random, the same for every run of the same data.
        weights: "best", "last" or "drawn", as they were before training; by default those that the
            run was tested with.
        device: where to compute.

    Raises:
        ConfigError: a run is that of a detector, has no such part, or its start cannot be drawn
            again; there are more networks than lines that can be told apart, or no picture is
            asked for.
        CheckpointError: a run has not come to its end.
    """
    if pictures < 1:
        raise ConfigError(f"pictures must be at least 1, got {pictures}")
    experiments = [_experiment(folder) for folder in folders]
    labels = _labels(folders, experiments)
    if len(set(labels)) > MOST_NETWORKS:
        raise ConfigError(
            f"at most {MOST_NETWORKS} networks are drawn over one another, got {len(set(labels))} "
            "(runs that differ in their seed alone are one)"
        )
    where = runtime.pick_device(device)
    return [
        _open(folder, label, (part, pictures), weights, where)
        for folder, label in zip(folders, labels, strict=True)
    ]


def by_network(opened: Iterable[Opened], look: Callable[[Opened], T]) -> dict[str, list[T]]:
    """Look at every run, and put what is found with runs of the same network together."""
    found: dict[str, list[T]] = {}
    for each in opened:
        found.setdefault(each.label, []).append(look(each))
    return found


def _experiment(folder: Path) -> Experiment:
    experiment = runs.read_experiment(folder)
    if not isinstance(experiment, Experiment):
        raise ConfigError(
            f"{folder} is the run of a detector, and what is looked into here is a classifier"
        )
    if events.result(events.read(folder)) is None:
        raise CheckpointError(
            f"{folder} has not come to its end, so it has no trained network to look into: go on "
            f"with: residua train --resume {folder}"
        )
    return experiment


def _labels(folders: Sequence[Path], experiments: Sequence[Experiment]) -> list[str]:
    """Call runs by their recipe; the first of each further network of a recipe by its name too."""
    names: dict[str, str] = {}
    for folder, experiment in zip(folders, experiments, strict=True):
        key = config.digest(dataclasses.replace(experiment, seed=0, claims=()))
        recipe = folder.resolve().parent.name
        if key not in names:
            taken = recipe in names.values()
            names[key] = f"{recipe} {folder.resolve().name}" if taken else recipe
    keys = [config.digest(dataclasses.replace(e, seed=0, claims=())) for e in experiments]
    return [names[key] for key in keys]


def _open(
    folder: Path,
    label: str,
    wanted: tuple[Part | None, int],
    weights: Which | None,
    device: torch.device,
) -> Opened:
    trained = runs.load(folder, weights=None if weights == "drawn" else weights)
    net = _drawn(trained) if weights == "drawn" else trained.net
    part, images = _part(trained.experiment.load_data(), wanted[0], folder)
    order = torch.randperm(len(images), generator=runtime.generator(0, "inside"))
    # In an order that sets sorted by class do not have: batch norm sees batches of all classes.
    chosen = images.select(order[: wanted[1]])
    normalize = trained.normalize.to(device)
    net = net.to(device).to(memory_format=torch.channels_last)
    return Opened(
        folder=folder,
        label=label,
        net=net,
        batches=tuple(_batches(chosen.to(device), normalize, trained.experiment.batch_size)),
        part=part,
        there=len(images),
        fingerprint=chosen.fingerprint(),
    )


def _part(splits: Splits, part: Part | None, folder: Path) -> tuple[Part, Pictures]:
    name = part or ("test" if splits.validation is None else "validation")
    images = getattr(splits, name)
    if images is None:
        raise ConfigError(f"{folder} has no {name} pictures: it learned from all but the test")
    return name, images


def _batches(images: Pictures, normalize: Callable[[Tensor], Tensor], size: int) -> Iterable[Batch]:
    """Cut the pictures into batches as equal as can be, none larger than those learned from."""
    count = -(-len(images) // size)
    labels, done = images.labels, 0
    for view in Whole().looks(images.shape).passes:
        for viewed in images.viewed(view, -(-len(images) // count)):
            shown = viewed[:, 0].to(labels.device)
            yield Batch(normalize(shown), labels[done : done + len(shown)])
            done += len(shown)


def _drawn(trained: runs.TrainedNet) -> nn.Module:
    """Build the net as it was before training."""
    if trained.experiment.weights is not None:
        raise ConfigError(
            f"{trained.folder} began with the weights of {trained.experiment.weights}, so none "
            "were drawn: look at --weights best or last"
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(runtime.derive(trained.experiment.seed, "weights"))
        return trained.experiment.build_net().eval()
