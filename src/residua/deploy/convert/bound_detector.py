"""A detector and what its pictures are prepared with, as one module of pictures of one size.

Dimension key:
    N pictures   H, W height and width of what the module takes   E detections of a picture
"""

import copy
import warnings
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from residua.deploy.convert.program import anonymous
from residua.detect.boxes import clip
from residua.detect.detector import Detector
from residua.detect.faster_rcnn import FasterRcnn, OutputConfig
from residua.errors import ConfigError

INPUTS = ["pixels", "size", "original"]
OUTPUTS = ["boxes", "scores", "labels", "valid"]


class Canvas(NamedTuple):
    """Pictures as the module takes them.

    Shape:
        pixels_N3HW: in [0, 255]; right of and below each picture they do not matter.
        sizes_N2: int64, height and width of each picture in it.
        original_N2: int64, height and width of each picture before it was resized.
    """

    pixels_N3HW: Tensor
    sizes_N2: Tensor
    original_N2: Tensor


class BoundDetector(nn.Module):
    """Objects of N pictures that were resized and laid into the upper left corner of H x W.

    What is right of and below a picture becomes zero after normalization, as in training; boxes
    come out in the pixels of the pictures before they were resized.

    Args:
        net: in eval mode.
        mean: of pictures in [0, 1]: 3, 1, 1.
        std: likewise.
    """

    def __init__(self, net: FasterRcnn, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.net = net
        self.mean255: Tensor
        self.std255: Tensor
        self.register_buffer("mean255", mean * 255)
        self.register_buffer("std255", std * 255)

    # A plain tuple, since a file of a graph knows no types of ours.
    def forward(
        self, pixels_N3HW: Tensor, sizes_N2: Tensor, original_N2: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        normal = (pixels_N3HW.to(torch.float32) - self.mean255) / self.std255
        images = normal.masked_fill(~within(normal, sizes_N2), 0.0)
        ratios_N2 = sizes_N2.float() / original_N2.float()
        found = self.net(images, sizes_N2, ratios_N2.mean(dim=1))
        scale_N14 = ratios_N2.flip(1).repeat(1, 2)[:, None]
        boxes_NE4 = clip(found.boxes_NE4 / scale_N14, original_N2[:, None])
        return boxes_NE4, found.scores_NE, found.labels_NE, found.valid_NE


def within(images_NCHW: Tensor, sizes_N2: Tensor) -> Tensor:
    """Tell which places are in a picture and not in what pads it: N, 1, H, W of bool."""
    height, width = images_NCHW.shape[2:]
    rows_H1 = torch.arange(height, device=images_NCHW.device)[:, None]
    columns_1W = torch.arange(width, device=images_NCHW.device)[None]
    sizes_N211 = sizes_N2[:, :, None, None]
    return ((rows_H1 < sizes_N211[:, 0]) & (columns_1W < sizes_N211[:, 1]))[:, None]


def bind_detector(detector: Detector, output: OutputConfig) -> BoundDetector:
    """Bind a detector to what its pictures are prepared with; both are copied, on the processor.

    Args:
        detector: a trained one.
        output: thresholds and counts of what it returns.

    Raises:
        ConfigError: its pictures are prepared as wholes, which no detector of ours was trained on.
    """
    normalize = detector.normalize
    mean, std = getattr(normalize, "mean", None), getattr(normalize, "std", None)
    if mean is None or std is None or mean[0].numel() > 1:
        raise ConfigError("a detector is exported with a mean and a deviation of each channel")
    # Files of graphs want weights in the plain order.
    net = copy.deepcopy(detector.net).to("cpu").to(memory_format=torch.contiguous_format).eval()
    net.output = output
    return BoundDetector(net, mean.cpu(), std.cpu()).eval()


def detector_program(
    bound: BoundDetector, size: tuple[int, int], dtype: torch.dtype = torch.uint8
) -> ExportedProgram:
    """Trace a bound detector; the graph takes N canvases for any N.

    Args:
        bound: in eval mode.
        size: H, W of a canvas.
        dtype: of its pixels, uint8 or float32.

    Raises:
        ConfigError: it cannot be traced.
    """
    try:
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            # Two pictures, since the tracer takes a size of one for a constant.
            pixels = torch.zeros(2, 3, *size, dtype=dtype)
            # And two tensors of sizes, since it takes one that is given twice for one input.
            example = Canvas(pixels, torch.tensor([size] * 2), torch.tensor([size] * 2))
            shapes = {name: {0: Dim("batch", min=1)} for name in Canvas._fields}
            return anonymous(torch.export.export(bound, tuple(example), dynamic_shapes=shapes))
    except Exception as error:  # the tracer has many kinds
        first = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"the detector cannot be exported: torch.export cannot trace it "
            f"({type(error).__name__}: {first})"
        ) from error


def most_detections(traced: ExportedProgram) -> int:
    """Return E of a traced detector: fewer than it was asked for where it has too few regions."""
    output = next(iter(reversed(traced.graph.nodes)))
    boxes_NE4: Any = output.args[0][0]
    return int(boxes_NE4.meta["val"].shape[1])
