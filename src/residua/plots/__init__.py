"""Figures as SVG, from plain numbers; errors are in percent. Nothing else imports matplotlib."""

from residua.plots.batchnorm import BatchErrors, Drifts, batch_errors, batchnorm_for_slides, drifts
from residua.plots.boxes import Mark, boxes_on
from residua.plots.contours import contours, contours_for_slides
from residua.plots.depth import Band, Network, degradation, degradation_for_slides, depths
from residua.plots.detection import PrecisionRecall, precision_recall
from residua.plots.drawn import Named, drawn
from residua.plots.identity import (
    FitCourse,
    FitDepths,
    FitPanels,
    fit_depths,
    fits,
    fits_for_slides,
)
from residua.plots.ladder import ladder, ladder_for_slides, suppression
from residua.plots.layers import Layers, layers
from residua.plots.profiles import Panel, Profile, profiles, profiles_for_slides
from residua.plots.run import confusion, errors, losses, rates
from residua.plots.sweep import Course, Dots, courses, dots, dots_for_slides
from residua.plots.training import precisions, terms
from residua.plots.width import TimesOfNets, width, width_for_slides

__all__ = [
    "Band",
    "BatchErrors",
    "Course",
    "Dots",
    "Drifts",
    "FitCourse",
    "FitDepths",
    "FitPanels",
    "Layers",
    "Mark",
    "Named",
    "Network",
    "Panel",
    "PrecisionRecall",
    "Profile",
    "TimesOfNets",
    "batch_errors",
    "batchnorm_for_slides",
    "boxes_on",
    "confusion",
    "contours",
    "contours_for_slides",
    "courses",
    "degradation",
    "degradation_for_slides",
    "depths",
    "dots",
    "dots_for_slides",
    "drawn",
    "drifts",
    "errors",
    "fit_depths",
    "fits",
    "fits_for_slides",
    "ladder",
    "ladder_for_slides",
    "layers",
    "losses",
    "precision_recall",
    "precisions",
    "profiles",
    "profiles_for_slides",
    "rates",
    "suppression",
    "terms",
    "width",
    "width_for_slides",
]
