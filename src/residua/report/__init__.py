"""Pages made from records alone: what a run did, and how runs compare."""

from residua.report.backbone import write_backbone
from residua.report.batchnorm import write_batchnorm
from residua.report.compared import Entry, Sweep
from residua.report.degradation import write_degradation
from residua.report.gradients import write_gradients
from residua.report.identity import write_identity
from residua.report.ladder import write_ladder
from residua.report.lesions import write_lesions
from residua.report.page import FILE
from residua.report.responses import write_responses
from residua.report.run import write
from residua.report.surfaces import write_surfaces
from residua.report.sweep import write_sweep
from residua.report.width import write_width

__all__ = [
    "FILE",
    "Entry",
    "Sweep",
    "write",
    "write_backbone",
    "write_batchnorm",
    "write_degradation",
    "write_gradients",
    "write_identity",
    "write_ladder",
    "write_lesions",
    "write_responses",
    "write_surfaces",
    "write_sweep",
    "write_width",
]
