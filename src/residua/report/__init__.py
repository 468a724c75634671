"""Pages made from records alone: what a run did, and how runs compare."""

from residua.report.degradation import write_degradation
from residua.report.ladder import write_ladder
from residua.report.page import FILE
from residua.report.run import write
from residua.report.sweep import Entry, Sweep, write_sweep

__all__ = [
    "FILE",
    "Entry",
    "Sweep",
    "write",
    "write_degradation",
    "write_ladder",
    "write_sweep",
]
