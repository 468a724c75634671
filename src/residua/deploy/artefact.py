"""A folder that `residua optimize` wrote: the net in its fastest form, and all that its use needs.

optimized.json      what it is, what it was made of, how it was measured
model...            the files of the engine
load.py             uses it without Residua
optimize.html       the page of the measurement
"""

import inspect
import json
from dataclasses import field
from importlib import metadata
from pathlib import Path

import torch
from torch import Tensor

from residua import files, runs
from residua.config import decode, encode, settings
from residua.data import upright
from residua.data.fit import Fit
from residua.deploy import loader
from residua.deploy.engine import Engine
from residua.deploy.engines.candidate import Candidate, Kind, Number
from residua.errors import CheckpointError, ConfigError
from residua.extras import installed, require
from residua.report.optimize import Row

FILE = loader.FACTS
VERSION = 1
PACKAGES = ("residua", "torch", "onnx", "onnxruntime", "openvino", "nncf")


@settings
class Normalization:
    """What the net's input is made with; the files do it themselves.

    Attributes:
        mean: of each channel, of pictures in [0, 1]; where a picture is subtracted, its mean.
        std: of each channel.
        first: what whole pictures undergo before, in words.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    first: str = ""


@settings
class Artefact:
    """What optimized.json says.

    Attributes:
        version: of this description.
        kind: of the engine.
        precision: of convolutions.
        device: where it computes.
        batch_sizes: numbers of pictures that it was measured with, and may be compiled for.
        classes: names of the outputs.
        shape: C, H, W of a picture.
        pixels: the type of the numbers that it takes, in [0, 255].
        fit: which part of a picture is looked at; None where no files are read.
        normalization: bound into the files.
        run: recipe and name of the run that it was made of; empty if it was made in Python.
        versions: of the packages that made it.
        measured: every candidate's figures, as the page shows them.
    """

    version: int = VERSION
    kind: Kind
    precision: Number
    device: str = "cpu"
    batch_sizes: tuple[int, ...]
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    pixels: str = "uint8"
    fit: Fit | None = None
    normalization: Normalization
    run: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    measured: tuple[Row, ...] = ()

    @property
    def candidate(self) -> Candidate:
        """The engine and its precision."""
        return Candidate(kind=self.kind, precision=self.precision)

    @property
    def brightness(self) -> float:
        """Mean of the pictures learned from, in [0, 1]."""
        return sum(self.normalization.mean) / len(self.normalization.mean)


def is_artefact(folder: Path) -> bool:
    """Say whether a folder is one that `residua optimize` wrote, and no run.

    The files of an engine are programs. Those that somebody has laid into a run are left alone.
    """
    return (folder / FILE).is_file() and not (folder / runs.CONFIG).is_file()


def find(text: str, root: Path) -> Path:
    """Find a folder that `residua optimize` wrote, or a run as `runs.find` does.

    Args:
        text: the folder of either, `recipe/name` below the root, or "last" for the newest run.
        root: the folder of all runs.

    Raises:
        CheckpointError: there is neither.
    """
    places = (Path(text), root / text)
    return next(filter(is_artefact, places), None) or runs.find(text, root)


def write(artefact: Artefact, folder: Path) -> None:
    """Write the description and the loader beside the files of the engine."""
    files.write(folder / FILE, json.dumps(encode(artefact), indent=1, ensure_ascii=False) + "\n")
    files.write(folder / "load.py", loader_text())


def read(folder: Path) -> Artefact:
    """Read the description of a folder.

    Raises:
        CheckpointError: it is no such folder, its description is damaged, or of another version.
    """
    path = folder / FILE
    if not path.is_file():
        raise CheckpointError(f"{folder} is not what `residua optimize` writes: it has no {FILE}")
    try:
        data = json.loads(path.read_text())
        found = data.get("version")
    except (ValueError, AttributeError):
        raise CheckpointError(
            f"{path} is damaged: it is not JSON (optimize the run again)"
        ) from None
    if found != VERSION:
        raise CheckpointError(
            f"{path} is of version {found}, this Residua reads {VERSION} (optimize the run again)"
        )
    try:
        return decode(Artefact, data, where=str(path))
    except ConfigError as error:
        raise CheckpointError(f"{error} (optimize the run again)") from None


def engine(folder: Path, *, threads: int | None = None) -> Engine:
    """Open what computes the logits.

    Args:
        folder: that `residua optimize` wrote.
        threads: of the processor; by default the engine decides.

    Raises:
        CheckpointError: it is no such folder, a file is missing or damaged, or was made for another
            machine.
        ConfigError: the package of its engine is not installed.
    """
    facts = read(folder)
    require(folder, {"onnxruntime", "openvino"} & {facts.kind})
    try:
        session = loader.session(folder, encode(facts), threads)
    except Exception as error:  # each engine has kinds of its own
        first = str(error).strip().partition("\n")[0]
        raise CheckpointError(
            f"{folder} cannot be opened by {facts.candidate.name} here: {first} (it was made with "
            f"{_told(facts.versions)}; optimize the run again on this machine)"
        ) from error

    def compute(pixels_NCHW: Tensor) -> Tensor:
        return torch.from_numpy(session(pixels_NCHW.cpu().numpy()))

    return compute


def loader_text() -> str:
    """Return the text of load.py: the loader, with the reading of pictures in it."""
    text, reading = inspect.getsource(loader), inspect.getsource(upright)
    place = next(line for line in text.splitlines() if line.startswith("from residua.data.upright"))
    return text.replace(f"{place}\n", reading.partition('\n"""\n')[2])


def versions() -> dict[str, str]:
    """Return the versions of the packages that are here."""
    return {name: metadata.version(name) for name in PACKAGES if installed(name)}


def _told(known: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in known.items()) or "unknown versions"
