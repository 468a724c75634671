"""A bound on what a training step holds of main memory, holes between its tensors included.

A C library keeps freed memory for the next request, and aligned requests do not fit into holes of
just their size. Recomputation frees and asks so often that holes come to several times what is in
use: they are given back to the operating system when the process holds more than is good.
"""

import torch

from residua import runtime

# If what is in use is above the bound, the bound is set above it by this share of what was allowed.
ABOVE = 0.1


class Bound:
    """Give freed memory back whenever the process has grown by more than so many bytes.

    Args:
        rise: above what the process holds when `begin` is first called.
    """

    def __init__(self, rise: int) -> None:
        self.rise = rise
        self.limit: float | None = None

    def begin(self) -> None:
        """Take what the process holds now as what it holds without training."""
        if self.limit is None:
            self.clear()
            self.limit = runtime.resident_memory() + self.rise

    def keep(self) -> None:
        """Give back what is free if the process holds more than it may."""
        if self.limit is None or runtime.resident_memory() <= self.limit:
            return
        self.clear()
        self.limit = max(self.limit, runtime.resident_memory() + ABOVE * self.rise)

    def clear(self) -> None:
        """Give back what is free."""
        runtime.release_freed_memory(torch.device("cpu"))
