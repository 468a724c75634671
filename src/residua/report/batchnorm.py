"""The page about the batch normalization of a net: what was measured, what it means, what to do."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from residua import files, plots
from residua.report import page

if TYPE_CHECKING:
    from residua.analyze.batchnorm import Examination, Measured
    from residua.analyze.norm_advice import Finding


def write_batchnorm(  # noqa: PLR0913 -- one argument for each part of the page
    folder: Path,
    found: "Examination",
    findings: "Sequence[Finding]",
    *,
    title: str,
    averaged: str,
    unaugmented: "tuple[str, Measured]",
    environment: Mapping[str, object],
    command: str,
) -> Path:
    """Draw an examination, and write the page about it.

    Args:
        folder: gets `report.html`, `batchnorm.json`, `figure.svg` and `figure.png`.
        found: by the examination.
        findings: what it means.
        title: which net on which pictures.
        averaged: over what the exact statistics are.
        unaugmented: over what other exact statistics are, of pictures that are not augmented, and
            what was measured with them.
        environment: of the measurement.
        command: that repeats it.

    Returns:
        The page.

    Raises:
        RunError: the files cannot be written.
    """
    errors, layers = _errors(found, unaugmented[1]), _layers(found)
    picture, pixels = plots.batchnorm_for_slides(errors, layers)
    files.write(folder / "figure.svg", picture)
    files.write(folder / "figure.png", pixels)
    record = _record(found, findings, averaged, unaugmented)
    about = {"study": "batchnorm", "finding": headline(found), "title": title, "command": command}
    record = about | {"environment": dict(environment)} | record
    files.write(folder / "batchnorm.json", json.dumps(record, indent=1) + "\n")
    values = {
        "title": title,
        "finding": headline(found),
        "findings": findings,
        "found": found,
        "averaged": averaged,
        "unaugmented": unaugmented,
        "errors": plots.batch_errors(errors),
        "drifts": plots.drifts(layers),
        "orders": _orders(found),
        "start": {"environment": environment},
        "command": command,
    }
    return page.write(folder, "batchnorm.html", values)


def headline(found: "Examination") -> str:
    """Say in one line what is the matter, or that nothing is."""
    far = [layer for layer in found.layers if layer.drift > found.how.drifted]
    if not far:
        return f"No layer has drifted: the furthest is {found.layers[0].drift:.2f} deviations off"
    count = f"{len(far)} layers have" if len(far) > 1 else f"{far[0].name} has"
    return (
        f"{count} drifted, up to {far[0].drift:.1f} standard deviations: error "
        f"{found.running.error:.1f} %, with exact statistics {found.exact.error:.1f} %"
    )


def _errors(found: "Examination", unaugmented: "Measured") -> plots.BatchErrors:
    return plots.BatchErrors(
        sizes=[each.size for each in found.batches],
        found=[[measured.error for measured in each.found] for each in found.batches],
        kept={
            "running": found.running.error,
            "exact": found.exact.error,
            "unaugmented": unaugmented.error,
        },
    )


def _layers(found: "Examination") -> plots.Drifts:
    ordered = sorted(found.layers, key=lambda layer: layer.place)
    return plots.Drifts(
        names=[layer.name for layer in ordered],
        values=[layer.drift for layer in ordered],
        bound=found.how.drifted,
    )


def _orders(found: "Examination") -> str:
    count = found.how.shuffles
    return "one order" if count == 1 else f"n = {count} orders"


def _record(
    found: "Examination",
    findings: "Sequence[Finding]",
    averaged: str,
    unaugmented: "tuple[str, Measured]",
) -> dict[str, Any]:
    return {
        "findings": [asdict(finding) for finding in findings],
        "how": asdict(found.how),
        "running": _numbers(found.running),
        "exact": {"averaged": averaged, **_numbers(found.exact)},
        "unaugmented": {"averaged": unaugmented[0], **_numbers(unaugmented[1])},
        "batches": [
            {"size": each.size, "found": [_numbers(measured) for measured in each.found]}
            for each in found.batches
        ],
        "layers": [asdict(layer) for layer in found.layers],
        "mended": [
            {"name": each.name, "measured": _numbers(each.measured)} for each in found.mended
        ],
        "frozen": found.frozen,
        "freezing": asdict(found.freezing),
        "folding": asdict(found.folding),
    }


def _numbers(measured: "Measured") -> dict[str, float]:
    return {"error": measured.error, "loss": measured.loss, "pictures": measured.count}
