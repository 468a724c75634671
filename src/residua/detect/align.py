"""RoIAlign as two matrix products, which use all cores of a processor.

The points of a bin form a grid, and interpolation is linear in x and in y: what a region takes of
the features is `W_y F W_x^T` with a row of weights for every bin. torchvision's operation visits
every point with one thread.

Dimension key:
    N pictures   C channels   H, W height and width of the features   R regions of all pictures
    r regions of one picture   p side of a pooled region   S points of a bin in each direction

Sources:
    [M] He et al., Mask R-CNN, arXiv:1703.06870, section 3; torchvision.ops.roi_align with
        aligned=False, whose results these are.
"""

import torch
from torch import Tensor

# Regions whose rows are held at a time, so that large pictures do not take all memory.
AT_A_TIME = 32
# Products visit every place of the features for each row of bins, points only their neighbours:
# from this many places per row on, points are faster.
MOST_PLACES = 256


def fits(features: Tensor, size: int, sampling: int) -> bool:
    """Tell whether products are the faster way, and possible.

    Args:
        features: N, C, H, W.
        size: p.
        sampling: S; 0, as many points as a bin has cells, is not possible.
    """
    if torch.compiler.is_compiling() or features.is_cuda or not sampling:
        return False
    return features.shape[2] * features.shape[3] <= MOST_PLACES * size


def align(features: Tensor, rois_R5: Tensor, *, size: int, scale: float, sampling: int) -> Tensor:
    """Return the mean of S x S interpolated points in each of p x p bins: R, C, p, p.

    Args:
        features: N, C, H, W; fastest in channels-last order.
        rois_R5: index of the picture, then XYXY in its pixels.
        size: p.
        scale: places of the features per pixel.
        sampling: S.
    """
    _, channels, height, width = features.shape
    edges_R4 = rois_R5[:, 1:].detach() * scale
    rows_RpH = _weights(edges_R4[:, 1], edges_R4[:, 3], height, size, sampling)
    columns_RpW = _weights(edges_R4[:, 0], edges_R4[:, 2], width, size, sampling)
    picture_R = rois_R5[:, 0].long()
    order_R = picture_R.argsort(stable=True)
    counts = torch.bincount(picture_R, minlength=len(features)).tolist()
    pooled = [features.new_zeros(0, size, size, channels)]
    for number, index_r in enumerate(order_R.split(counts)):
        places_HX = features[number].permute(1, 2, 0).reshape(height, width * channels)
        for some in index_r.split(AT_A_TIME):
            strips = rows_RpH[some].flatten(0, 1) @ places_HX
            strips_rpWC = strips.view(-1, size, width, channels)
            pooled.append(columns_RpW[some][:, None] @ strips_rpWC)
    sorted_RppC = torch.cat(pooled)
    in_order = torch.equal(order_R, torch.arange(len(order_R), device=order_R.device))
    pooled_RppC = sorted_RppC if in_order else sorted_RppC[order_R.argsort()]
    return pooled_RppC.permute(0, 3, 1, 2)


def _weights(low_R: Tensor, high_R: Tensor, places: int, size: int, sampling: int) -> Tensor:
    """Return what every place gives to every bin: R, p, places.

    A region is at least one place wide; points further than one place outside count as zero.
    """
    parts = (torch.arange(size * sampling, device=low_R.device) + 0.5) / (size * sampling)
    point_RP = low_R[:, None] + (high_R - low_R).clamp(min=1)[:, None] * parts
    counts_RP = (point_RP >= -1) & (point_RP <= places)
    distance = torch.arange(places, device=low_R.device) - point_RP.clamp(0, places - 1)[..., None]
    weight = (1 - distance.abs()).clamp(min=0) * counts_RP[..., None]
    return weight.unflatten(1, (size, sampling)).mean(dim=2)
