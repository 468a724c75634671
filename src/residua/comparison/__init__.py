"""Runs beside one another: which settings differ, then which numbers, and how surely."""

from residua.comparison.compare import Comparison, compare
from residua.comparison.page import write_comparison

__all__ = ["Comparison", "compare", "write_comparison"]
