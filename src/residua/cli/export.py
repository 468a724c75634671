"""`residua export`: the net of a run as a file for other systems."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runs, runtime
from residua.cli.options import parse
from residua.cli.screen import say, table
from residua.deploy.convert.formats import Format, Pixels
from residua.deploy.convert.parity import Parity
from residua.deploy.exported import Exported
from residua.deploy.plan import ExportPlan


@dataclasses.dataclass(frozen=True)
class Options:
    """Write the net of a run as a file for other systems: residua export RUN --to onnx.

    What pictures are prepared with is in the file, and the file is compared with the net on
    pictures of the run before it gets its name.

    Attributes:
        run: the folder of the run, or "last".
        to: pt2 (torch.export), onnx, openvino, safetensors (weights and a card), or torchvision
            (its names of the weights, for nets that torchvision has too).
        out: the file to write; by default in the folder export of the run.
        overwrite: replace a file that is there.
        weights: best or last; by default those that the run was tested with.
        pixels: what a graph takes: uint8 or float32, both in [0, 255].
        check: pictures to compare on; by default 64, and 8 of a detector; 0 for no comparison.
        tolerance: the largest difference of a logit that is allowed, in units of the largest logit;
            of a detector, of a score.
        size: of detectors: height and width that the graph takes, in pixels; by default what all
            pictures to choose with (or to test on) fit into.
        threads: of the processor; by default all cores.
        runs: the folder of all runs.
    """

    run: Annotated[str, Positional] = "last"
    to: Format = "onnx"
    out: Path | None = None
    overwrite: bool = False
    weights: Literal["best", "last"] | None = None
    pixels: Pixels = "uint8"
    check: int | None = None
    tolerance: float = 1e-3
    size: tuple[int, int] | None = None
    threads: int | None = None
    runs: Path = Path("runs")


def main(words: Sequence[str]) -> None:
    """Write the file, and print what it takes and gives, how near it is, and where it lies."""
    from residua.deploy.export import export

    options = parse("export", Options, words)
    runtime.set_threads(options.threads)
    plan = ExportPlan(
        **{field.name: getattr(options, field.name) for field in dataclasses.fields(ExportPlan)}
    )
    _print(export(runs.find(options.run, options.runs), plan), plan.tolerance)


def _print(found: Exported, tolerance: float) -> None:
    rows = [
        ("takes", found.takes),
        ("gives", found.gives),
        ("preprocessing", found.preprocessing),
        ("compared", _compared(found, tolerance)),
        ("size", f"{found.size / 1e6:,.1f} MB"),
    ]
    table(found.to, [("", False), ("", False)], rows)
    for note in found.notes:
        say(note)
    say("\n".join(map(str, found.files)))


def _compared(found: Exported, tolerance: float) -> str:
    parity = found.parity
    if parity is None:
        return "not compared"
    if isinstance(parity, Parity):
        return (
            f"{found.compared_on}: largest difference of a logit {parity.difference:.2g} "
            f"({parity.relative:.2g} of the largest logit, {tolerance:g} allowed), "
            f"same class for {parity.agreement:.1f} %"
        )
    return (
        f"{found.compared_on}: {parity.agreement:.1f} % of {parity.detections:,} detections the "
        f"same, largest difference of a score {parity.difference:.2g} ({tolerance:g} allowed), of "
        f"an edge {parity.pixels:.2g} pixels"
    )
