"""The page of one run of a detector."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from residua import plots
from residua.report import page
from residua.report.course import told
from residua.report.record import Record

# The terms of the loss as the record and as a reader names them.
TERMS = {
    "rpn_class": "RPN class",
    "rpn_box": "RPN box",
    "roi_class": "region class",
    "roi_box": "region box",
}
# What the settings of a trunk say that no detector depends on.
UNUSED = frozenset({"num_classes", "in_channels"})
MAPS = {"validation_map": "mAP@.5", "validation_coco_ap": "mAP@[.5,.95]"}


def write(run: Record) -> Path:
    """Write the page of a run with a detector.

    Args:
        run: its record, whether or not it has come to its end.

    Returns:
        The page, `report.html` in the folder.

    Raises:
        RunError: the page cannot be written.
    """
    values = {
        **told(run),
        "title": headline(run),
        "outcome": run.result,
        "found": run.result["found"] if run.result else None,
        "best": run.settings.get("select") == "best",
        "curves": _curves(run),
        "net": network(run.settings.get("net") or {}, run.start.get("regions")),
        "anchors": anchors(run.start["anchors"]),
        "augmented": resizing(run.settings),
        "seen": "find the objects on a picture",
    }
    return page.write(run.folder, "detection_run.html", values)


def headline(run: Record) -> str:
    """Say the result, or that there is none, in the words of the command line."""
    if run.result is None:
        return f"no test mAP: stopped after iteration {run.iteration:,} of {run.until:,}"
    images = f"({run.result['test_count']:,} images, seed {run.result['seed']})"
    if run.result["found"]["map"] is None:
        return f"no objects to test on {images}"
    return f"test mAP@.5 {run.result['test_map']:.1f} % {images}"


def network(net: Mapping[str, Any], regions: int | None = None) -> list[str]:
    """Say what a detector is made of.

    Args:
        net: its settings.
        regions: that are looked at in a picture.
    """
    if net.get("kind") != "faster_rcnn":
        return [page.phrase(net)]
    roi = net["roi"]
    pooled = "RoI max pooling" if roi["pool"] == "max" else "RoIAlign"
    size = f" to {roi['pool_size']}x{roi['pool_size']}" if roi.get("pool_size") else ""
    trunk = {name: value for name, value in net["trunk"].items() if name not in UNUSED}
    said = [
        f"Faster R-CNN on {page.phrase(trunk)}",
        f"{pooled}{size}" + ("" if regions is None else f" of {regions:,} regions an image"),
    ]
    if net.get("context"):
        said.append("every region beside the whole image (global context)")
    stages = net.get("freeze", 0)
    kept = [f"the first {stages} stages" if stages > 1 else "the stem"] if stages else []
    kept += ["batch normalization"] if net.get("freeze_norm") else []
    return [*said, f"frozen: {' and '.join(kept)}"] if kept else said


def anchors(made: Mapping[str, Any]) -> list[str]:
    """Say which boxes proposals start from."""
    sizes, ratios = made["sizes"], made["ratios"]
    return [
        f"{len(sizes) * len(ratios)} at every place: {_listed(sizes)} pixels, each with height by "
        f"width {_listed(ratios)}",
        "sizes are roots of areas in the resized image"
        + ("" if made["convention"] == "original" else f"; placed as {made['convention']} does"),
    ]


def resizing(settings: Mapping[str, Any]) -> str:
    """Say how images are changed before they are learned from."""
    size = settings["resize"]
    mirrored = "every second image mirrored" if settings.get("flip") else "no image mirrored"
    return (
        f"the shorter side resized to {size['short']} pixels, or the longer to {size['long']} "
        f"where it would be more; {mirrored}"
    )


def _curves(run: Record) -> dict[str, str]:
    if not run.rows:
        return {}
    parts = {words: _points(run, f"train_{name}") for name, words in TERMS.items()}
    drawn = {"terms": plots.terms(_points(run, "train_loss"), parts, until=run.until)}
    lines = {words: _points(run, name) for name, words in MAPS.items()}
    lines = {words: points for words, points in lines.items() if points}
    tested = None
    if run.result and run.result["found"]["map"] is not None:
        tested = run.result["selected_iteration"], run.result["test_map"]
    if lines or tested:
        drawn["precisions"] = plots.precisions(lines, until=run.until, test=tested)
    return drawn


def _points(run: Record, name: str) -> list[tuple[float, float]]:
    return [(row["iteration"], row[name]) for row in run.rows if name in row]


def _listed(numbers: list[float]) -> str:
    words = [f"{number:.3g}" for number in numbers]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
