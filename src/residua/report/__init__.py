"""Pages made from records alone: what a run did, and how runs compare."""

from residua.report.degradation import write_degradation
from residua.report.run import write

__all__ = ["write", "write_degradation"]
