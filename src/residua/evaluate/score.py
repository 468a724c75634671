"""Score pictures with a network under a protocol.

Dimension key:
    N pictures   V views   C channels   h, w height and width of a view   K classes
"""

import math

import torch
from torch import Tensor, nn

from residua.data.loading import Pictures, View
from residua.data.normalize import Normalize
from residua.data.views import Looks, Rule, Views, Whole
from residua.evaluate.tally import Scores
from residua.nn.modes import evaluating

# Views that a network is given at a time, and pixels of all of them together; neither changes a
# result beyond rounding. The second holds the memory of large pictures down.
MOST_VIEWS = 500
MOST_PIXELS = 2_000_000

WHOLE = Whole()


@torch.inference_mode()
def scores(
    net: nn.Module,
    images: Pictures,
    normalize: Normalize,
    *,
    views: Views = WHOLE,
    dtype: torch.dtype = torch.float32,
    batch_size: int | None = None,
) -> Scores:
    """Score every picture of a set once, in eval mode; its modes are restored after.

    Args:
        net: a classifier from N, C, H, W to N, K.
        images: the pictures; views are brought to the device of the net.
        normalize: what the net was trained with. A mean of each pixel is resized with the pictures.
        views: the protocol.
        dtype: float32, or the type of autocast.
        batch_size: pictures at a time; by default as many as are neither too many nor too large.
    """
    looks = views.looks(images.shape)
    device = next((p.device for p in net.parameters()), normalize.mean.device)
    with evaluating(net), torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
        passes = [
            _one_pass(net, images, normalize.to(device), view, views.rule, batch_size or fit(looks))
            for view in looks.passes
        ]
    logits = averaged(torch.stack(passes, dim=1), views.rule)
    return Scores(logits, images.labels.cpu(), views.protocol, images.classes)


def fit(looks: Looks) -> int:
    """Say how many pictures at a time a network is given."""
    return max(1, min(MOST_VIEWS // looks.count, MOST_PIXELS // (looks.count * looks.pixels)))


def averaged(logits: Tensor, rule: Rule) -> Tensor:
    """Average what was said of each picture.

    Shape:
        logits: N, V, K.  y: N, K, logits of which the softmax is the average; of one view, its own.
    """
    if logits.shape[1] == 1:
        return logits[:, 0]
    if rule == "logits":
        return logits.mean(dim=1)
    return logits.log_softmax(dim=2).logsumexp(dim=1) - math.log(logits.shape[1])


def _one_pass(
    net: nn.Module,
    images: Pictures,
    normalize: Normalize,
    view: View,
    rule: Rule,
    batch_size: int,
) -> Tensor:
    parts = []
    for views_NVChw in images.viewed(view, batch_size):
        count = views_NVChw.shape[:2]
        flat = views_NVChw.flatten(0, 1).to(normalize.mean.device)
        said = net(normalize(flat)).float()
        parts.append(averaged(said.view(*count, -1), rule).cpu())
    return torch.cat(parts)
