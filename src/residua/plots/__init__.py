"""Figures as SVG, from plain numbers; errors are in percent. Nothing else imports matplotlib."""

from residua.plots.depth import Band, Network, degradation, degradation_for_slides, depths
from residua.plots.run import confusion, errors, losses, rates

__all__ = [
    "Band",
    "Network",
    "confusion",
    "degradation",
    "degradation_for_slides",
    "depths",
    "errors",
    "losses",
    "rates",
]
