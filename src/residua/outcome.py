"""What a run came to: its result, its table of epochs, and the pictures it got wrong."""

import base64
import csv
import dataclasses
import io
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from residua import events
from residua.data.loading import Pictures
from residua.evaluate import Scores
from residua.evaluate.evidence import overlay

MISTAKES_SHOWN = 24

# From N pictures, a class of each and another to how much each place speaks for the first: N, h, w.
Evidence = Callable[[Tensor, Tensor, Tensor], Tensor | None]


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run came to.

    Args:
        folder: of the run.
        test_error: top-1, one view, in percent.
        test_count: pictures it was measured on.
        train_error: mean over the updates since the last but one look at the validation pictures
            (an epoch, if the schedule ends with one), of the augmented pictures, in percent.
        validation_error: of the weights that were tested, in percent; None without validation
            pictures.
        seed: of the run.
        seconds: of training, validation included, over all stretches of a resumed run.
    """

    folder: Path
    test_error: float
    test_count: int
    train_error: float
    validation_error: float | None
    seed: int
    seconds: float

    @property
    def page(self) -> Path:
        """The page of the run."""
        return self.folder / "report.html"

    @property
    def sentence(self) -> str:
        """The result in words."""
        return f"test error {self.test_error:.1f} % ({self.test_count} images, seed {self.seed})"


@dataclasses.dataclass(frozen=True)
class DetectionResult:
    """What a run with a detector came to; the record and the page have every other reading of it.

    Args:
        folder: of the run.
        test_map: mean over the classes of the average precision at an IoU of 0.5, the area under
            the curve, in percent.
        test_count: pictures it was measured on.
        train_loss: mean over the updates since the last but one look at the validation pictures.
        validation_map: of the weights that were tested, in percent; None without such pictures.
        seed: of the run.
        seconds: of training, validation included, over all stretches of a resumed run.
    """

    folder: Path
    test_map: float
    test_count: int
    train_loss: float
    validation_map: float | None
    seed: int
    seconds: float

    @property
    def page(self) -> Path:
        """The page of the run."""
        return self.folder / "report.html"

    @property
    def sentence(self) -> str:
        """The result in words."""
        return (
            f"test mAP@.5 {self.test_map:.1f} % (area under the curve, {self.test_count} images, "
            f"seed {self.seed})"
        )


AnyResult = Result | DetectionResult


@dataclasses.dataclass(frozen=True)
class Course:
    """A training that has come to its end, as its record tells it.

    Args:
        folder: of the run.
        last: its last epoch.
        selected: the epoch whose weights were tested.
        seed: of the run.
        seconds: of training, over all stretches.
    """

    folder: Path
    last: events.Event
    selected: events.Event
    seed: int
    seconds: float


def recorded(folder: Path) -> AnyResult | None:
    """Read the result of a run; None if it has not come to its end."""
    event = events.result(events.read(folder))
    if event is None:
        return None
    kind = DetectionResult if "test_map" in event else Result
    names = {field.name for field in dataclasses.fields(kind)} - {"folder"}
    return kind(folder=folder, **{name: event[name] for name in names})


def statistics_line(results: Sequence[AnyResult]) -> str:
    """Say mean, standard deviation, median and n of what several seeds came to."""
    what = "test error" if isinstance(results[0], Result) else "test mAP@.5"
    found = [each.test_error if isinstance(each, Result) else each.test_map for each in results]
    return (
        f"{what} {statistics.mean(found):.2f} ± {statistics.stdev(found):.2f} % "
        f"(mean ± std of n = {len(found)} seeds), median {statistics.median(found):.2f} %"
    )


def table(rows: list[events.Event]) -> str:
    """Write the epochs as CSV; it holds no times, so equal runs give equal files."""
    text = io.StringIO()
    columns = [
        name
        for name in (rows[0] if rows else ())
        if name not in {"kind", "time", "images_per_second"}
    ]
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def tested(found: Scores) -> dict[str, Any]:
    """Name what is recorded of pictures that a network was tested on."""
    return {
        "protocol": f"top-1, {found.protocol}",
        "top1_error": found.top1_error,
        "top5_error": found.top5_error,
        "calibration_error": found.calibration_error,
        "loss": found.loss,
    }


def mistakes(
    found: Scores, images: Pictures, evidence: Evidence | None = None
) -> list[dict[str, Any]]:
    """Describe the most confident mistakes, each with its picture as PNG in base64.

    With `evidence`, a second PNG to lay over it shows what spoke for the class it was taken for
    rather than for its label.
    """
    chosen = found.mistakes()[:MISTAKES_SHOWN]
    if not len(chosen):
        return []
    pictures = torch.stack([_picture(images, index) for index in chosen.tolist()])
    predicted, labels = found.predictions[chosen], found.labels[chosen]
    maps = evidence(pictures, predicted, labels) if evidence is not None else None
    return [
        {
            "index": index,
            "label": int(labels[row]),
            "predicted": int(predicted[row]),
            "probability": float(found.probabilities[index].max()),
            "png": _png(pictures[row]),
            **({} if maps is None else {"evidence": _overlay(maps[row], pictures[row])}),
        }
        for row, index in enumerate(chosen.tolist())
    ]


def _picture(images: Pictures, index: int) -> Tensor:
    """Return one picture on the processor: C, H, W, uint8."""
    return images[index]


def _png(picture: Tensor) -> str:
    return _encoded(picture[0] if len(picture) == 1 else picture[:3].permute(1, 2, 0))


def _overlay(map_hw: Tensor, picture: Tensor) -> str:
    return _encoded(overlay(map_hw, *picture.shape[1:]))


def _encoded(pixels: Tensor) -> str:
    buffer = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(buffer, "png")
    return base64.b64encode(buffer.getvalue()).decode()
