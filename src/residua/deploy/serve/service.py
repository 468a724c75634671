"""A predictor with all that serving it takes: the line of pictures, the gate, the numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from residua import events, runtime
from residua.deploy import artefact
from residua.deploy.engine import Eager
from residua.deploy.predictor import Classifier, Finder
from residua.deploy.serve.finding import Finding
from residua.deploy.serve.gate import Gate
from residua.deploy.serve.limits import Limits
from residua.deploy.serve.line import Answered, Line
from residua.deploy.serve.metrics import PICTURES, Gauge, Spread, Tally, text
from residua.deploy.serve.naming import Naming

# Pictures that are answered together: few enough that others come in meanwhile, so that nothing
# waits for requests. A detector takes pictures one after the other where their sizes differ, and
# whoever came first should not wait for many.
TOGETHER, FOUND_TOGETHER = 16, 4

# From so many cores on, reading does not take from the network what it needs.
ENOUGH_CORES = 8


@dataclass(frozen=True)
class Numbers:
    """What is counted."""

    requests: Tally
    seconds: Spread
    read: Spread
    waited: Spread
    computed: Spread
    together: Spread
    gauges: Sequence[Gauge]

    def add(self, answered: Answered) -> None:
        """Count a picture that was answered."""
        self.read.add(answered.read)
        self.waited.add(answered.waited)
        self.computed.add(answered.computed)
        self.together.add(answered.together)

    def text(self) -> str:
        """Write all of them as Prometheus reads them."""
        spreads = (self.seconds, self.read, self.waited, self.computed, self.together)
        return text([self.requests, *spreads, *self.gauges])


@dataclass(frozen=True)
class Service:
    """What a server holds.

    Args:
        kind: of run.
        model: what is served, as plain values.
        line: of pictures.
        gate: of requests.
        limits: of both.
        numbers: that are counted.
    """

    kind: Literal["classifier", "detector"]
    model: dict[str, Any]
    line: Line
    gate: Gate
    limits: Limits
    numbers: Numbers


def service(
    predictor: Classifier | Finder, limits: Limits, *, together: int | None = None
) -> Service:
    """Prepare to serve a predictor.

    Args:
        predictor: of a run.
        limits: of the server.
        together: pictures that are answered together at most.

    Raises:
        ConfigError: a limit is not above 0.
        RunError: the network of the run answers with what is no number.
    """
    limits.check()
    desk: Naming | Finding
    if isinstance(predictor, Classifier):
        desk = Naming(predictor, most=together or TOGETHER, pixels=limits.pixels)
    else:
        desk = Finding(predictor, most=together or FOUND_TOGETHER, pixels=limits.pixels)
    desk.warm_up()
    cores = runtime.own_cores()
    line = Line(desk, readers=cores, ahead=cores >= ENOUGH_CORES or torch.cuda.is_available())
    gate = Gate(limits)
    return Service(
        kind="classifier" if isinstance(predictor, Classifier) else "detector",
        model=_model(predictor, desk, limits),
        line=line,
        gate=gate,
        limits=limits,
        numbers=_numbers(gate, line),
    )


def _model(
    predictor: Classifier | Finder, desk: Naming | Finding, limits: Limits
) -> dict[str, Any]:
    """Say what is served."""
    told: dict[str, Any] = {
        "name": "/".join(predictor.folder.resolve().parts[-2:]),
        "classes": list(predictor.classes),
        "maps": desk.maps,
        "limits": {"body": limits.body, "pixels": limits.pixels, "pictures": limits.pictures},
    }
    trained = (predictor.folder / events.FILE).is_file()
    result = (events.result(events.read(predictor.folder)) if trained else None) or {}
    if isinstance(predictor, Classifier):
        return {
            "kind": "classifier",
            **told,
            "engine": _engine(predictor),
            "shape": list(predictor.shape),
            "brightness": round(predictor.brightness, 4),
            "test_error": result.get("test_error"),
        }
    precision = predictor.detector.dtype
    return {
        "kind": "detector",
        **told,
        "engine": f"PyTorch {precision}".replace("torch.", ""),
        "test_map": result.get("test_map"),
    }


def _engine(classifier: Classifier) -> str:
    """Say what computes."""
    if isinstance(classifier.engine, Eager):
        return f"PyTorch {classifier.engine.dtype}".replace("torch.", "")
    if artefact.is_artefact(classifier.folder):
        return artefact.read(classifier.folder).candidate.name
    return type(classifier.engine).__name__


def _numbers(gate: Gate, line: Line) -> Numbers:
    prefix = "residua"
    return Numbers(
        requests=Tally(f"{prefix}_requests_total", "Requests answered.", ("place", "status")),
        seconds=Spread(f"{prefix}_request_seconds", "Seconds of requests about pictures."),
        read=Spread(f"{prefix}_read_seconds", "Seconds for reading a picture."),
        waited=Spread(f"{prefix}_wait_seconds", "Seconds that a picture waited in the line."),
        computed=Spread(f"{prefix}_network_seconds", "Seconds of the network, by picture."),
        together=Spread(
            f"{prefix}_together_pictures", "Pictures answered together, by picture.", PICTURES
        ),
        gauges=(
            Gauge(f"{prefix}_requests_under_way", "Requests under way.", lambda: gate.under_way),
            Gauge(f"{prefix}_pictures_in_line", "Pictures that wait.", lambda: len(line)),
            Gauge(f"{prefix}_held_bytes", "Bytes of the requests under way.", lambda: gate.bytes),
            Gauge(
                "process_resident_memory_bytes", "Memory of the process.", runtime.resident_memory
            ),
        ),
    )
