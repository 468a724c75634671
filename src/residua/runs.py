"""Run folders: making them, finding them, and loading the trained network out of one.

runs/<recipe>/<name>/
    config.yaml            the experiment
    events.jsonl           everything that happened
    evaluations.jsonl      tests after its end
    results.csv            one row per epoch
    weights/               best.safetensors and last.safetensors
    checkpoints/           what a resumed training goes on from
    report.html            the page
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from residua import events, files
from residua.config import from_yaml
from residua.data.normalize import Normalize
from residua.data.whiten import Preparation
from residua.detection_experiment import AnyExperiment, DetectionExperiment
from residua.errors import CheckpointError, ConfigError
from residua.experiment import Experiment
from residua.nets.preprocessing import Preprocessing
from residua.nets.reading import read
from residua.nets.weights import apart, card_of, fill, preprocessing_of, save

CONFIG = "config.yaml"


@dataclass(frozen=True)
class TrainedNet:
    """A network with what is needed to use it.

    Args:
        net: in eval mode, on the processor.
        folder: of the run.
        experiment: what was run.
        classes: the names of the outputs.
        shape: of one picture, C, H, W.
        normalize: from pictures in [0, 255] to the network's input.
    """

    net: nn.Module
    folder: Path
    experiment: Experiment
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    normalize: Normalize


def create(root: Path, recipe: str, name: str) -> Path:
    """Make a new folder `root/recipe/name`, with a number appended if the name is taken.

    Raises:
        RunError: it cannot be made.
    """
    parent = root / recipe
    with files.explained(parent):
        parent.mkdir(parents=True, exist_ok=True)
        for attempt in range(1, 1_000_000):
            folder = parent / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    raise AssertionError("a million runs of one name")


def find(text: str, root: Path) -> Path:
    """Find a run by its folder, by `recipe/name` below the root, or as "last".

    Raises:
        CheckpointError: there is no such run; those that exist are named.
    """
    if text == "last":
        return _newest(root)
    for folder in (Path(text), root / text):
        if (folder / CONFIG).is_file():
            return folder
    known = sorted(str(path.parent.relative_to(root)) for path in root.glob(f"*/*/{CONFIG}"))
    shown = f"runs in {root}: {', '.join(known[:8])}" if known else f"{root} has no runs"
    raise CheckpointError(f"{text} is not a run ({shown}; `last` is the newest)")


def _newest(root: Path) -> Path:
    started = [(path.stat().st_mtime_ns, path.parent) for path in root.glob(f"*/*/{events.FILE}")]
    if not started:
        raise CheckpointError(
            f"there is no last run: {root} has no runs (`residua train` makes one)"
        )
    return max(started)[1]


def launched(parent: Path, launch: str, digest: str, *, finished: bool) -> Path | None:
    """Find the run that one start by torchrun began, if it came to a checkpoint.

    Args:
        parent: the folder of a recipe's runs.
        launch: the name of the start.
        digest: of the experiment.
        finished: whether a run that has come to its end will do.
    """
    for path in parent.glob(f"*/{events.FILE}"):
        record, folder = events.read(path.parent), path.parent
        began = events.first(record, "start") or {}
        ours = (began.get("launch"), began.get("digest")) == (launch, digest)
        open_end = finished or not events.result(record)
        if ours and open_end and any(folder.glob("checkpoints/*.pt")):
            return folder
    return None


def read_experiment(folder: Path) -> AnyExperiment:
    """Read the experiment of a run from its config.yaml.

    Raises:
        CheckpointError: the folder has none.
        ConfigError: the file does not fit, or is of another version.
    """
    path = folder / CONFIG
    if not path.is_file():
        raise CheckpointError(f"{folder} is not a run: it has no {CONFIG}")
    return experiment_of(path)


def finished(parent: Path, digest: str) -> Path | None:
    """Find a run of the same settings that has come to its end.

    Args:
        parent: the folder of a recipe's runs.
        digest: of the experiment.
    """
    for path in sorted(parent.glob(f"*/{events.FILE}")):
        record = events.read(path.parent)
        began = events.first(record, "start") or {}
        if began.get("digest") == digest and events.result(record):
            return path.parent
    return None


def experiment_of(path: Path) -> AnyExperiment:
    """Read an experiment from a YAML file: that of a detector has a detector for its net.

    Raises:
        ConfigError: the file does not fit, or is of another version.
    """
    text = path.read_text()
    detector = re.search(r"^net:\n +kind: faster_rcnn$", text, flags=re.MULTILINE)
    return from_yaml(DetectionExperiment if detector else Experiment, text, where=str(path))


def load(
    folder: str | Path, *, weights: str | None = None, net: nn.Module | None = None
) -> TrainedNet:
    """Load the trained network of a run.

    Args:
        folder: of the run, or "last" for the newest below ./runs.
        weights: "best" or "last"; by default those that were tested.
        net: the module, if the experiment was given one in Python.

    Raises:
        CheckpointError: there is no such run, it has no weights, or they are of another net.
        ConfigError: the network cannot be rebuilt from the record, or is a detector.
    """
    folder = find(str(folder), Path("runs"))
    experiment = read_experiment(folder)
    if not isinstance(experiment, Experiment):
        raise ConfigError(f"{folder} is the run of a detector, which does not name pictures")
    began = start(folder)
    network = experiment.build_net() if net is None else net
    if weights not in {None, "best", "last"}:
        raise ConfigError(f'weights must be "best" or "last", got {weights!r}')
    normalize = load_weights(folder, weights or experiment.select, network)
    channels, height, width = began["shape"]
    return TrainedNet(
        net=network.eval(),
        folder=folder,
        experiment=experiment,
        classes=tuple(began["classes"]),
        shape=(channels, height, width),
        normalize=normalize,
    )


def load_weights(folder: Path, which: str, net: nn.Module) -> Normalize:
    """Load the "best" or "last" weights of a run into a net of its architecture.

    Returns:
        What the network's input is made with.

    Raises:
        CheckpointError: the run has none, the file is damaged, or they are of another net.
    """
    return read_weights(weights_file(folder, which), net)


def read_weights(path: Path, net: nn.Module) -> Normalize:
    """Load weights that `save_net` wrote into a net of their architecture.

    Returns:
        What the network's input is made with.

    Raises:
        CheckpointError: the file is missing or damaged, or is of another net.
    """
    everything, metadata = read(path)
    state, arrays = apart(everything)
    fill(net, state, path)
    card = card_of(metadata, path)
    preprocessing = preprocessing_of(card)
    if preprocessing is None:
        raise CheckpointError(f"{path} does not say how its pictures were normalized")
    preparation = Preparation.of(card["preparation"], arrays) if arrays else None
    return Normalize.of(preprocessing.mean, preprocessing.std, preparation)


def save_net(
    net: nn.Module,
    path: Path,
    *,
    experiment: Experiment,
    classes: Sequence[str],
    shape: Sequence[int],
    normalize: Normalize,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Write the weights of a net of a run with what is needed to use them without the run.

    Args:
        net: of the experiment's settings.
        path: of the file; must end in .safetensors.
        experiment: what was run.
        classes: the names of the outputs.
        shape: of one picture, C, H, W.
        normalize: what the net was trained with.
        more: that the file is to say, beside these.
    """
    mean, std = normalize.numbers()
    preparation = normalize.preparation
    save(
        net,
        path,
        config=experiment.recordable().net,
        preprocessing=Preprocessing(
            mean=mean,
            std=std,
            source="the training images",
            first="" if preparation is None else preparation.what,
        ),
        card={
            **(more or {}),
            "classes": classes,
            "shape": shape,
            **({} if preparation is None else {"preparation": preparation.facts()}),
        },
        beside=None if preparation is None else preparation.arrays(),
    )


def weights_file(folder: Path, which: str) -> Path:
    """Return the file of the "best" or "last" weights of a run.

    Raises:
        CheckpointError: the run has none.
    """
    path = folder / "weights" / f"{which}.safetensors"
    if not path.is_file():
        others = sorted(other.stem for other in path.parent.glob("*.safetensors"))
        remedy = f"use the {others[0]} ones with --weights {others[0]}, or " if others else ""
        raise CheckpointError(
            f"{path} is missing, the run has not come to its end: {remedy}go on with: "
            f"residua train --resume {shlex.quote(str(folder))}"
        )
    return path


def start(folder: Path) -> dict[str, Any]:
    """Read how a run began: sizes, classes, plan, layers, environment.

    Raises:
        CheckpointError: it has no record, or the record has no beginning.
    """
    event = events.first(events.read(folder), "start")
    if event is None:
        raise CheckpointError(f"{folder} did not start: its record has no beginning")
    return event
