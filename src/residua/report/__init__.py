"""Pages made from records alone: what a run did, and how runs compare."""

from residua.report.batchnorm import write_batchnorm
from residua.report.degradation import write_degradation
from residua.report.ladder import write_ladder
from residua.report.page import FILE
from residua.report.run import write

__all__ = ["FILE", "write", "write_batchnorm", "write_degradation", "write_ladder"]
