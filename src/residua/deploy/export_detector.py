"""The detector of a run as a file for other systems.

Dimension key:
    N pictures   H, W height and width of what a graph takes
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

from residua import trained_detector
from residua.deploy.convert import parity_of_detections, reopen, to_onnx, to_openvino, to_pt2
from residua.deploy.convert.bound_detector import (
    INPUTS,
    OUTPUTS,
    BoundDetector,
    Canvas,
    bind_detector,
    detector_program,
    most_detections,
)
from residua.deploy.convert.canvas import canvas_for, check_size, laid
from residua.deploy.convert.detector_card import detector_card, graph_card
from residua.deploy.convert.formats import ENDINGS, GRAPHS, Format
from residua.deploy.convert.parity_of_detections import ParityOfDetections
from residua.deploy.convert.to_safetensors import detector_to_safetensors
from residua.deploy.exported import Exported
from residua.deploy.plan import ExportPlan
from residua.deploy.staging import staged
from residua.detect.faster_rcnn import Detections
from residua.detect.found import Found
from residua.detect.testing import TestingConfig
from residua.errors import ConfigError, DataError
from residua.extras import require
from residua.trained_detector import TrainedDetector

# Pictures that a file is compared with the net on.
CHECK = 8


@dataclass(frozen=True)
class Sample:
    """Pictures of a run, and what they are in words.

    Args:
        pictures: 3, h, w of uint8, each.
        sizes: height and width of all pictures that these were taken from.
        words: such as "8 of 100 validation pictures".
    """

    pictures: Sequence[Tensor]
    sizes: Sequence[tuple[int, int]]
    words: str


def export(folder: Path, plan: ExportPlan, path: Path) -> Exported:
    """Write the detector of a run, and compare what was written with it.

    Args:
        folder: of the run.
        plan: which `validate` has looked at.
        path: of the first file.
    """
    if plan.to == "torchvision":
        raise ConfigError(
            f"{folder} is the run of a detector, and torchvision has none like it: its Faster "
            "R-CNN has other regions and another head (--to pt2, onnx or openvino have its graph, "
            "safetensors its weights)"
        )
    trained = trained_detector.load(folder, weights=plan.weights)
    if plan.to not in GRAPHS:
        return _weights(trained, plan, path)
    if plan.size is not None:
        check_size(plan.size)
    count = CHECK if plan.check is None else plan.check
    sample = some_pictures(trained, count) if count else None
    if sample is None and plan.size is None:
        raise ConfigError(
            "without pictures to compare with, --size must say the height and width that the graph "
            "takes, in pixels"
        )
    return _graph(trained, plan, path, sample)


def _graph(
    trained: TrainedDetector, plan: ExportPlan, path: Path, sample: Sample | None
) -> Exported:
    resize = trained.experiment.resize
    pictures: Sequence[Tensor] = () if sample is None else sample.pictures
    size = plan.size or canvas_for([] if sample is None else sample.sizes, resize)
    bound = bind_detector(trained.detector, trained.experiment.testing.output)
    traced = detector_program(bound, size, getattr(torch, plan.pixels))
    most = most_detections(traced)
    told = graph_card(trained, plan.pixels, size, most)
    # One alone and the others together, since the graph takes any number.
    canvases = [laid(some, size, resize) for some in (pictures[:1], pictures[1:]) if some]
    with staged(path, ENDINGS[plan.to]) as beside:
        _write(traced, plan.to, beside, told)
        parity = _parity(bound, plan, beside, canvases) if sample else None
    taken = f"Nx3x{size[0]}x{size[1]} pixels in [0, 255], {plan.pixels}, for any N"
    return Exported(
        to=plan.to,
        files=[path.with_suffix(ending) for ending in ENDINGS[plan.to]],
        takes=f"{taken}, and height and width of each picture in them, and before it was resized",
        gives=f"{most} boxes of each, scores, labels, valid or not",
        preprocessing="in the graph, except that pictures must be resized to fit",
        parity=parity,
        compared_on=sample.words if sample else "",
        notes=_notes(trained.experiment.testing, plan.to),
    )


def _weights(trained: TrainedDetector, plan: ExportPlan, path: Path) -> Exported:
    """Write the weights, which are those of the run with what else belongs to them."""
    with staged(path, ENDINGS[plan.to]) as beside:
        detector_to_safetensors(trained, beside, card=detector_card(trained))
    return Exported(
        to=plan.to,
        files=[path],
        takes="what the net in its card takes",
        gives="what it gives",
        preprocessing=f"not in the weights, but in {path.name}",
        parity=None,
        compared_on="",
        notes=["every array was read again and is equal to that of the net, bit for bit"],
    )


def some_pictures(trained: TrainedDetector, count: int) -> Sample:
    """Take pictures of a run: evenly among those to choose with, or to test on.

    Raises:
        DataError: they cannot be read.
        ConfigError: the data were handed over in Python.
    """
    try:
        splits = trained.experiment.load_data()
    except (ConfigError, DataError) as error:
        raise type(error)(
            f"{error} (or leave the comparison out with --check 0 and --size)"
        ) from None
    part = splits.test if splits.validation is None else splits.validation
    name = "test" if splits.validation is None else "validation"
    taken = min(count, len(part))
    chosen = torch.linspace(0, len(part) - 1, taken).round().long().tolist()
    words = f"{taken:,} of {len(part):,} {name} pictures"
    return Sample([part.picture(index) for index in chosen], part.sizes, words)


def _write(traced: ExportedProgram, to: Format, path: Path, told: Mapping[str, Any]) -> None:
    if to == "pt2":
        to_pt2.write(traced, path, card=told)
        return
    from residua.detect.translate import translations

    # OpenVINO reads the graph from ONNX, which has an operation for RoI pooling.
    require(f"--to {to}", ("onnx", "onnxscript"))
    onnx_path = path if to == "onnx" else path.with_suffix(".onnx")
    to_onnx.write(
        traced,
        onnx_path,
        inputs=INPUTS,
        outputs=OUTPUTS,
        card=told,
        translations=translations(),
    )
    if to == "openvino":
        to_openvino.tell_nobody()
        import openvino

        to_openvino.write(openvino.convert_model(onnx_path), path, card=told)


def _parity(
    bound: BoundDetector, plan: ExportPlan, path: Path, canvases: Sequence[Canvas]
) -> ParityOfDetections:
    """Compare a file with the detector.

    Raises:
        RunError: they differ by more than is allowed.
    """
    ask = _asked(plan.to, path)
    pairs: list[tuple[Found, Found]] = []
    for canvas in canvases:
        with torch.inference_mode():
            expected = Detections(*bound(*canvas))
            pairs += zip(found(expected), found(ask(_as(canvas, plan))), strict=True)
    parity = parity_of_detections.compare(pairs)
    parity.check(plan.tolerance)
    return parity


def _asked(to: Format, path: Path) -> Callable[[Canvas], Detections]:
    if to == "pt2":
        graph = reopen.pt2(path)
        return lambda canvas: Detections(*graph(*canvas))
    ask = reopen.onnx(path) if to == "onnx" else reopen.openvino(path)
    return lambda canvas: Detections(*ask(dict(zip(INPUTS, canvas, strict=True))))


def found(detections: Detections) -> list[Found]:
    """Leave out what fills up: the detections of each picture."""
    return [
        Found.of(boxes[valid.bool()], scores[valid.bool()], labels[valid.bool()])
        for boxes, scores, labels, valid in zip(*detections, strict=True)
    ]


def _as(canvas: Canvas, plan: ExportPlan) -> Canvas:
    return canvas._replace(pixels_N3HW=canvas.pixels_N3HW.to(getattr(torch, plan.pixels)))


def _notes(testing: TestingConfig, to: Format) -> list[str]:
    """Say what of the run's test is not in the graph."""
    rungs = [
        *(["box refinement"] if testing.refine else []),
        *(["box voting"] if testing.vote else []),
        *(["several scales"] if testing.scales else []),
    ]
    notes = [f"not in the graph, though the run's test has it: {', '.join(rungs)}"] if rungs else []
    if to == "pt2":
        notes.append("import torchvision before torch.export.load: the graph has its operations")
    return notes
