"""What pictures a network takes, and the sentence for those it does not."""

from dataclasses import dataclass

from torch import Tensor, nn

from residua.errors import ShapeError


@dataclass(frozen=True, kw_only=True)
class Input:
    """The pictures that a network takes: N, C, H, W.

    An instance is a forward pre-hook: a hook and not a line of `forward`, so that tracing and
    export see the formula alone.

    Attributes:
        channels: C.
        smallest: least height and width in pixels, the product of the strides.
        size: the only height and width that fit, in pixels, or None where any do.
    """

    channels: int
    smallest: int = 1
    size: int | None = None

    def __call__(self, _net: nn.Module, args: tuple[Tensor, ...]) -> None:
        """Check the first argument of a forward."""
        self.check(args[0])

    def check(self, x: Tensor) -> None:
        """Refuse a tensor that does not fit.

        Raises:
            ShapeError: wrong rank, wrong channels, or too few pixels.
        """
        if x.ndim != 4:
            remedy = "add a batch dimension with x[None]" if x.ndim == 3 else "reshape it"
            raise ShapeError(
                f"images must be N, C, H, W, got {x.ndim} dimensions: {_text(x)} ({remedy})"
            )
        channels, height, width = x.shape[1:]
        if channels != self.channels:
            raise ShapeError(
                f"images must have {self.channels} channels, got {channels} in {_text(x)} "
                f"(convert them, or build the net with in_channels={channels})"
            )
        if self.size is not None and (height != self.size or width != self.size):
            raise ShapeError(
                f"images must be {self.size}x{self.size} pixels, got {height}x{width}: the linear "
                "layer is made for that size (resize them, or use a net that averages over H, W)"
            )
        if height < self.smallest or width < self.smallest:
            raise ShapeError(
                f"images must have at least {self.smallest}x{self.smallest} pixels, got "
                f"{height}x{width}: the strides multiply to {self.smallest} (enlarge them, or use "
                "a net with smaller strides, such as the cifar family)"
            )


def _text(x: Tensor) -> str:
    # Only for messages: in `torch.export`, to print a length is to fix it.
    return "x".join(map(str, x.shape))
