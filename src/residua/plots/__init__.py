"""Figures as SVG, from plain numbers; errors are in percent. Nothing else imports matplotlib."""

from residua.plots.batchnorm import BatchErrors, Drifts, batch_errors, batchnorm_for_slides, drifts
from residua.plots.boxes import Mark, boxes_on
from residua.plots.depth import Band, Network, degradation, degradation_for_slides, depths
from residua.plots.detection import PrecisionRecall, precision_recall
from residua.plots.drawn import Named, drawn
from residua.plots.ladder import ladder, ladder_for_slides, suppression
from residua.plots.run import confusion, errors, losses, rates
from residua.plots.training import precisions, terms

__all__ = [
    "Band",
    "BatchErrors",
    "Drifts",
    "Mark",
    "Named",
    "Network",
    "PrecisionRecall",
    "batch_errors",
    "batchnorm_for_slides",
    "boxes_on",
    "confusion",
    "degradation",
    "degradation_for_slides",
    "depths",
    "drawn",
    "drifts",
    "errors",
    "ladder",
    "ladder_for_slides",
    "losses",
    "precision_recall",
    "precisions",
    "rates",
    "suppression",
    "terms",
]
