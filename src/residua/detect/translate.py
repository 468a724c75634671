"""How the operations of torchvision are written in ONNX.

Sources:
    [O] the operators MaxRoiPool, RoiAlign and NonMaxSuppression of ONNX.
"""

from collections.abc import Callable
from typing import Any

Translations = dict[Callable[..., Any], Callable[..., Any]]


def translations() -> Translations:
    """Return what `torch.onnx.export(..., custom_translation_table=...)` wants for a detector.

    RoI pooling is what the exporter lacks: in torchvision it also returns where each largest value
    was, which MaxRoiPool does not and nothing but the backward pass wants. The other two are given
    so that they do not depend on the version of the exporter.
    """
    import torch
    import torchvision  # noqa: F401 -- makes torch.ops.torchvision
    from onnxscript import opset18

    op: Any = opset18

    def roi_pool(x: Any, rois: Any, spatial_scale: float, height: int, width: int) -> Any:
        pooled = op.MaxRoiPool(x, rois, pooled_shape=(height, width), spatial_scale=spatial_scale)
        return pooled, op.Shape(pooled)

    def roi_align(
        x: Any,
        rois: Any,
        spatial_scale: float,
        height: int,
        width: int,
        sampling_ratio: int = -1,
        aligned: bool = False,
    ) -> Any:
        return op.RoiAlign(
            x,
            op.Slice(rois, [1], [5], [1]),
            op.Cast(op.Squeeze(op.Slice(rois, [0], [1], [1]), [1]), to=7),
            coordinate_transformation_mode="half_pixel" if aligned else "output_half_pixel",
            output_height=height,
            output_width=width,
            sampling_ratio=max(sampling_ratio, 0),
            spatial_scale=spatial_scale,
        )

    def nms(boxes: Any, scores: Any, overlap: float) -> Any:
        every = op.Constant(value_ints=[2**63 - 1])
        threshold = op.Constant(value_floats=[overlap])
        found = op.NonMaxSuppression(
            op.Unsqueeze(boxes, [0]), op.Unsqueeze(scores, [0, 1]), every, threshold
        )
        return op.Squeeze(op.Slice(found, [2], [3], [1]), [1])

    ours = torch.ops.torchvision
    return {
        ours.roi_pool.default: roi_pool,
        ours.roi_align.default: roi_align,
        ours.nms.default: nms,
    }
