"""What is claimed of an experiment, beside what its run measured under the same protocol."""

from collections.abc import Mapping
from typing import Any

from residua.config import decode, settings
from residua.data.views import (
    PAPER_SCALES,
    PAPER_SIDE,
    CenterCrop,
    Flips,
    MultiScale,
    TenCrop,
    Views,
    Whole,
    proportional,
)
from residua.report import page
from residua.report.record import Record

# Where a result, or a later test, has the error that a claim names.
ERRORS = {"test_error": "top1_error", "top5_error": "top5_error"}

# The rules by which a detector's number is counted; such numbers are in the result of its run.
RULES = {
    "map_11point": "mAP at IoU 0.5 by 11 points, without difficult objects",
    "map_area": "mAP at IoU 0.5, area under the curve, without difficult objects",
    "coco_ap": "COCO: mAP over IoU 0.50 to 0.95",
    "coco_ap50": "COCO: mAP at IoU 0.5",
}


@settings
class _Looked:
    """Holds a protocol, to be read from plain values.

    Attributes:
        views: what of each picture was looked at.
    """

    views: Views


def claims(run: Record) -> list[dict[str, Any]]:
    """List the claims, each with the number measured, or with what would measure it.

    A number counts if it is of the test pictures, the weights that were chosen and the claim's
    protocol: that of the run itself, or else the first later test that is so.
    """
    return [_beside(claim, run) for claim in run.settings.get("claims") or ()]


def measured(claim: Mapping[str, Any], run: Record) -> float | None:
    """Return the number that a run measured under a claim's protocol; None if it did not."""
    return _beside(claim, run)["measured"]


def _beside(claim: Mapping[str, Any], run: Record) -> dict[str, Any]:
    metric = claim["metric"]
    if metric not in ERRORS:
        known = {"parameters": run.parameters, "multiply_adds": run.multiply_adds}
        measured = (known | (run.result or {})).get(metric)
        rule = RULES.get(metric, "")
        return {**claim, "protocol": rule, "measured": measured, "missing": "not measured"}
    views = views_of(claim.get("views") or {})
    found = _under(views, run)
    return {
        **claim,
        "protocol": views.protocol,
        "measured": (found or {}).get(ERRORS[metric]),
        "missing": "not measured" if found or not run.result else _how(views, run),
    }


def _under(views: Views, run: Record) -> dict[str, Any] | None:
    """Find the result or the first later test under a protocol."""
    if run.result is not None and views in own_views(run.settings.get("data") or {}):
        return {"top1_error": run.result["test_error"], **run.result}
    chosen = run.settings.get("select", "last")
    for test in run.evaluations:
        alike = (test["images"], test["weights"]) == ("test", chosen) and "views" in test
        if alike and not test["exact_norm"] and views_of(test["views"]) == views:
            return test
    return None


def own_views(data: Mapping[str, Any]) -> list[Views]:
    """List the protocols that the run's own test is under.

    It looks at whole pictures; of files these are the middle of a larger one, which is a 1-crop.
    """
    share = (data.get("fit") or {}).get("share", 0.875)
    if data.get("kind") != "files" or "size" not in data:
        return [Whole()]
    size = data["size"]
    return [Whole(), CenterCrop(short_side=round(size / share), size=size)]


def _how(views: Views, run: Record) -> str:
    side = min(run.start["shape"][1:])
    command = page.command("residua", "evaluate", run.folder, *_options(views, side))
    return f"not measured under {views.protocol.partition(':')[0]} ({command})"


def _options(views: Views, side: int) -> list[object]:
    """Ask `residua evaluate` for a protocol; `side` is that of the pictures learned from."""
    words: list[object] = []
    match views:
        case CenterCrop() | TenCrop():
            words = ["--views", "ten" if isinstance(views, TenCrop) else "center"]
            words += [] if views.size == side else ["--size", views.size]
            usual = proportional(views.size, PAPER_SIDE)
            words += [] if views.short_side == usual else ["--short-side", views.short_side]
        case Flips():
            words = ["--views", "flips"]
        case MultiScale():
            words = ["--views", "multi"]
            usual = tuple(proportional(side, scale) for scale in PAPER_SCALES)
            words += [] if views.short_sides == usual else ["--scales", *views.short_sides]
            words += ["--mirror"] if views.mirror else []
    several = isinstance(views, TenCrop | Flips | MultiScale)
    return words + (["--average", "logits"] if several and views.rule == "logits" else [])


def views_of(views: Mapping[str, Any]) -> Views:
    """Read a protocol from plain values."""
    return decode(_Looked, {"views": {"kind": "whole", **views}}, where="claims").views
