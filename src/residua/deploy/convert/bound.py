"""A classifier and what its pictures are prepared with, as one module: pixels to logits.

Dimension key:
    N pictures   C channels   H, W height and width   D = C * H * W   K classes
"""

import copy

import torch
from torch import Tensor, nn

from residua.data.normalize import Normalize
from residua.data.whiten import Preparation, contrast_normalized
from residua.nn.fold import fold as folded


class Bound(nn.Module):
    """`logits = net((prepare(p) / 255 - mean) / std)`, with p pixels in [0, 255] of any type.

    What Residua's own `Normalize` does, as operations on buffers, so that it is exported with the
    net and cannot be forgotten.

    Shape:
        pixels_NCHW: in [0, 255], uint8 or float.  Returns float32 N, K.

    Args:
        prepare: what whole pictures undergo first.
        mean: of pictures in [0, 1]: C, 1, 1, or C, H, W.
        std: C, 1, 1.
        net: in eval mode.
        shape: C, H, W of a picture.
    """

    def __init__(
        self,
        *,
        prepare: nn.Module,
        mean: Tensor,
        std: Tensor,
        net: nn.Module,
        shape: tuple[int, int, int],
    ) -> None:
        super().__init__()
        self.shape = shape
        self.prepare = prepare
        self.mean255: Tensor
        self.std255: Tensor
        self.register_buffer("mean255", mean * 255)
        self.register_buffer("std255", std * 255)
        self.net = net

    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        prepared = self.prepare(pixels_NCHW.to(torch.float32))
        normal = (prepared - self.mean255) / self.std255
        return self.net(normal.contiguous(memory_format=torch.channels_last)).float()


class Prepare(nn.Module):
    """`y = M (g - mean)` with g the contrast-normalized picture, as `data.whiten.Preparation`.

    Args:
        preparation: that of a run.
    """

    def __init__(self, preparation: Preparation) -> None:
        super().__init__()
        self.scale = preparation.scale
        self.mean: Tensor
        self.matrix: Tensor | None
        self.register_buffer("mean", preparation.mean)
        self.register_buffer("matrix", preparation.matrix)

    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        centered = contrast_normalized(pixels_NCHW, self.scale) - self.mean
        if self.matrix is None:
            return centered
        # The matrix is symmetric.
        return (centered.flatten(1) @ self.matrix).view_as(centered)


def bind(
    net: nn.Module, normalize: Normalize, shape: tuple[int, int, int], *, fold: bool = True
) -> Bound:
    """Bind a net to what its pictures are prepared with; both are copied, on the processor.

    Args:
        net: from normalized pictures to logits.
        normalize: what it was trained with.
        shape: C, H, W of the pictures that will be given; a mean of each pixel is resized to it.
        fold: join batch normalization with the layer before it, as in `nn.fold`: the same but for
            rounding, and less to compute.
    """
    own = normalize.to(torch.device("cpu"))
    preparation = own.preparation
    plain = copy.deepcopy(net).to("cpu").eval()
    return Bound(
        prepare=nn.Identity() if preparation is None else Prepare(preparation),
        mean=own.mean_at(shape[1:]),
        std=own.std,
        net=folded(plain).net if fold else plain,
        shape=shape,
    ).eval()
