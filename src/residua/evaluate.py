"""Test a network on a set of pictures: its scores, and the errors that follow from them.

Dimension key:
    N pictures   K classes
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from residua.data.loading import Pictures, whole
from residua.data.normalize import Normalize


@dataclass(frozen=True)
class Scores:
    """What a network said of N pictures, one view of each.

    Shape:
        logits: N, K, float32 on the processor.  labels: N.
    """

    logits: Tensor
    labels: Tensor

    @property
    def predictions(self) -> Tensor:
        """The most probable class of each picture: N."""
        return self.logits.argmax(dim=1)

    @property
    def probabilities(self) -> Tensor:
        """Softmax of the logits: N, K."""
        return self.logits.softmax(dim=1)

    @property
    def loss(self) -> float:
        """Mean cross-entropy, in nats."""
        return F.cross_entropy(self.logits, self.labels).item()

    @property
    def top1_error(self) -> float:
        """Share of pictures whose most probable class is wrong, in percent."""
        return 100 * (self.predictions != self.labels).double().mean().item()

    def confusion(self) -> Tensor:
        """Count pictures by class (row) and predicted class (column): K, K."""
        k = self.logits.shape[1]
        return torch.bincount(self.labels * k + self.predictions, minlength=k * k).view(k, k)

    def mistakes(self) -> Tensor:
        """Indices of the pictures that are wrong, the most confident mistake first."""
        wrong = (self.predictions != self.labels).nonzero().flatten()
        confidence = self.probabilities.max(dim=1).values[wrong]
        return wrong[confidence.argsort(descending=True, stable=True)]


@torch.inference_mode()
def scores(
    net: nn.Module,
    images: Pictures,
    normalize: Normalize,
    *,
    dtype: torch.dtype = torch.float32,
    batch_size: int = 500,
) -> Scores:
    """Score every picture of a set once, in eval mode; the mode of the net is restored after.

    Args:
        net: a classifier from N, C, H, W to N, K, on the device of the pictures.
        images: the pictures.
        normalize: what the net was trained with.
        dtype: float32, or the type of autocast.
        batch_size: pictures at a time; it does not change the result beyond rounding.
    """
    was_training = net.training
    net.eval()
    device = images.labels.device
    with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
        parts = [
            net(normalize(views_NVCHW[:, 0])).float().cpu()
            for views_NVCHW in images.viewed(whole, batch_size)
        ]
    net.train(was_training)
    return Scores(torch.cat(parts), images.labels.cpu())
