"""What computes the answers of a classifier: pixels in, logits out.

Dimension key:
    N pictures   C channels   H, W height and width   K classes   D features   h, w height and width
    of the last feature maps
"""

from typing import Protocol

import torch
from torch import Tensor, nn

from residua.data.normalize import Normalize
from residua.errors import ConfigError
from residua.evaluate.features import activation_maps, pooled


class Engine(Protocol):
    """`z = net(normalize(p))`: a trained net in whatever form, from pixels as they are in files.

    Shape:
        p: N, C, H, W, uint8, of the size that the net takes, on the processor.
        z: N, K, float32, on the processor.
    """

    def __call__(self, pixels_NCHW: Tensor) -> Tensor: ...


class Eager:
    """`z = net(normalize(p))`, by PyTorch, operation after operation.

    Shape:
        p: N, C, H, W, uint8 or float in [0, 255].  z: N, K, float32, on the processor.

    Args:
        net: a classifier; it is moved to the device and put into eval mode.
        normalize: from pictures in [0, 255] to the net's input.
        device: where it computes.
        dtype: float32, or the type of autocast.
    """

    def __init__(
        self,
        net: nn.Module,
        normalize: Normalize,
        device: torch.device,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self.net = net.to(device).to(memory_format=torch.channels_last).eval()
        self.normalize = normalize.to(device)
        self.device = device
        self.dtype = dtype

    @torch.inference_mode()
    def __call__(self, pixels_NCHW: Tensor) -> Tensor:
        """Compute the logits of pictures."""
        reduced = self.dtype is not torch.float32
        inputs_NCHW = self.normalize(pixels_NCHW.to(self.device))
        with torch.autocast(self.device.type, self.dtype, enabled=reduced):
            return self.net(inputs_NCHW).float().cpu()

    def features(self, pixels_NCHW: Tensor) -> Tensor:
        """Return what the last linear layer takes, in float32: N, D.

        Raises:
            ConfigError: the net does not end in a linear layer.
        """
        return pooled(self.net, self.normalize(pixels_NCHW.to(self.device))).cpu()

    def maps(self, pixels_NCHW: Tensor) -> Tensor | None:
        """Say how much each place of a picture contributes to each class, in float32: N, K, h, w.

        Their mean over places is the logit without its bias. None for a net that does not end in
        global average pooling and a linear layer: of others no such map is exact.
        """
        inputs_NCHW = self.normalize(pixels_NCHW.to(self.device))
        try:
            return activation_maps(self.net, inputs_NCHW)[0].cpu()
        except ConfigError:
            return None
