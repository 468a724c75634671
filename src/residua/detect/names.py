"""The names and orders that detectron2 has for the weights of Faster R-CNN on C4.

Dimension key:
    A anchors of a place   S sizes, Q ratios: A = S Q   K classes without background   D numbers in
    the vector of a region

Sources:
    [D] detectron2: modeling/proposal_generator/rpn.py, modeling/roi_heads/fast_rcnn.py,
        modeling/anchor_generator.py, config/defaults.py, configs/Base-RCNN-C4.yaml.
"""

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from residua.detect.anchors import AnchorsConfig
from residua.detect.faster_rcnn import OutputConfig
from residua.detect.roi import RoiConfig
from residua.detect.rpn import RpnConfig
from residua.detect.settings import FasterRcnnConfig
from residua.errors import CheckpointError
from residua.nets.imagenet import ImagenetConfig
from residua.nets.names import their_names

HEADS = {
    "rpn.conv": "proposal_generator.rpn_head.conv",
    "rpn.objectness": "proposal_generator.rpn_head.objectness_logits",
    "rpn.deltas": "proposal_generator.rpn_head.anchor_deltas",
    "predict.classes": "roi_heads.box_predictor.cls_score",
    "predict.boxes": "roi_heads.box_predictor.bbox_pred",
}
# In the files of its model zoo, and no weights: [D] computes them from its settings.
CELLS = "proposal_generator.anchor_generator.cell_anchors.0"
PICTURES = {"pixel_mean", "pixel_std"}


def c4(depth: int = 50, num_classes: int = 80) -> FasterRcnnConfig:
    """Give the settings of detectron2's R50-C4 and R101-C4 as they are tested.

    They take pictures as `residua.nets.preprocessing.MSRA` says (BGR in [0, 255], minus a mean),
    whose shorter side is 800 pixels and whose longer is at most 1333.
    """
    return FasterRcnnConfig(
        trunk=ImagenetConfig(depth=depth, stride_on="1x1"),
        num_classes=num_classes,
        anchors=AnchorsConfig(sizes=(32, 64, 128, 256, 512), convention="detectron2"),
        rpn=RpnConfig(channels=1024, objectness="sigmoid", test_post=1000, min_size=0),
        roi=RoiConfig(pool="align", pool_size=14, sampling=0, half_pixel=True),
        output=OutputConfig(nms=0.5),
    )


def is_c4(names: Iterable[str]) -> bool:
    """Tell whether names of weights are those of a detector of detectron2 on C4."""
    wanted = {"backbone.stem.conv1.weight", "roi_heads.res5.0.conv1.weight"}
    return wanted <= set(names)


def config_of_c4(state: Mapping[str, Tensor]) -> FasterRcnnConfig:
    """Tell depth and classes of a detector of detectron2 on C4.

    Raises:
        CheckpointError: it has units of no depth that is known, or no classes.
    """
    units = {name.split(".")[2] for name in state if name.startswith("backbone.res4.")}
    known = {23: 101, 6: 50, 36: 152}
    classes = state.get(f"{HEADS['predict.classes']}.weight")
    if len(units) not in known or classes is None:
        raise CheckpointError(
            f"recognised a detector of detectron2, but not which: {len(units)} units in res4 "
            f"(known are {', '.join(map(str, known))})"
            + ("; its classes are missing" if classes is None else "")
        )
    return c4(known[len(units)], len(classes) - 1)


def from_detectron2(
    state: Mapping[str, Tensor], net: nn.Module, config: FasterRcnnConfig
) -> dict[str, Tensor]:
    """Convert weights of detectron2 into a state dict of a detector of ours.

    Args:
        state: their names and arrays.
        net: what the settings build, on any device; stays as it is.
        config: the settings.

    Raises:
        CheckpointError: the settings compute something else, or the weights are of another net; the
            first names that are missing, left over or of another shape are listed.
    """
    _check(config)
    ours = {name: value for name, value in net.state_dict().items() if _is_kept(name)}
    table = detectron2_names(ours)
    faults = [f"{theirs} is missing" for theirs in table.values() if theirs not in state]
    known = {*table.values(), CELLS, *PICTURES}
    faults += [f"{name} has no place" for name in state if name not in known]
    result = {
        name: _to_our_order(name, state[theirs], config)
        for name, theirs in table.items()
        if theirs in state
    }
    faults += [
        f"{table[name]} is {_shape(state[table[name]])}, the net has {_shape(ours[name])}"
        for name, value in result.items()
        if value.shape != ours[name].shape
    ]
    faults += _other_anchors(state, config)
    if faults:
        shown = "; ".join(faults[:4]) + (f"; and {len(faults) - 4} more" if faults[4:] else "")
        raise CheckpointError(f"recognised a detector of detectron2, but another one: {shown}")
    uncounted = {n: torch.zeros((), dtype=torch.int64) for n in net.state_dict() if n not in ours}
    return result | uncounted


def to_detectron2(state: Mapping[str, Tensor], config: FasterRcnnConfig) -> dict[str, Tensor]:
    """Convert the state dict of a detector of ours into the names and orders of detectron2.

    Raises:
        CheckpointError: detectron2 cannot express the detector.
    """
    _check(config)
    table = detectron2_names(name for name in state if _is_kept(name))
    return {
        theirs: _to_their_order(name, state[name], config).contiguous()
        for name, theirs in table.items()
    }


def detectron2_names(ours: Iterable[str]) -> dict[str, str]:
    """Give the names that detectron2 has for ours.

    Raises:
        CheckpointError: it has no name for some weight.
    """
    table: dict[str, str] = {}
    for name in ours:
        part, _, rest = name.rpartition(".")
        if part in HEADS:
            table[name] = f"{HEADS[part]}.{rest}"
        else:
            plain = re.sub(r"^(?:trunk|head)\.c(\d)\.", _stage, name)
            (theirs,) = their_names([plain.removeprefix("trunk.")], "detectron2").values()
            side = "roi_heads" if name.startswith("head.") else "backbone"
            table[name] = f"{side}.{theirs}"
    return table


def _stage(match: re.Match[str]) -> str:
    return f"stages.{int(match[1]) - 2}."


def _is_kept(name: str) -> bool:
    return not name.endswith("num_batches_tracked")


def _to_our_order(name: str, value: Tensor, config: FasterRcnnConfig) -> Tensor:
    """Put the background first, with a box that means nothing, and anchors ratio by ratio."""
    sizes, ratios = len(config.anchors.sizes), len(config.anchors.ratios)
    match name.rpartition(".")[0]:
        case "predict.classes":
            return value.roll(1, dims=0)
        case "predict.boxes":
            return torch.cat([torch.zeros_like(value[:4]), value])
        case "rpn.objectness" | "rpn.deltas" if len(value) % (sizes * ratios) == 0:
            return value.unflatten(0, (sizes, ratios, -1)).transpose(0, 1).flatten(0, 2)
        case _:
            return value


def _to_their_order(name: str, value: Tensor, config: FasterRcnnConfig) -> Tensor:
    """Put the background last, without a box, and anchors size by size."""
    sizes, ratios = len(config.anchors.sizes), len(config.anchors.ratios)
    match name.rpartition(".")[0]:
        case "predict.classes":
            return value.roll(-1, dims=0)
        case "predict.boxes":
            return value[4:]
        case "rpn.objectness" | "rpn.deltas":
            return value.unflatten(0, (ratios, sizes, -1)).transpose(0, 1).flatten(0, 2)
        case _:
            return value


def _check(config: FasterRcnnConfig) -> None:
    """Refuse a detector that computes something else from weights of the same shapes."""
    wanted = _computing(c4())
    for name, value in _computing(config).items():
        if value != wanted[name]:
            raise CheckpointError(
                f"detectron2's detectors on C4 have {name} = {wanted[name]!r}, this one has "
                f"{value!r} (residua.detect.names.c4 gives settings that fit)"
            )


def _computing(config: FasterRcnnConfig) -> dict[str, object]:
    return {
        "anchors.convention": config.anchors.convention,
        "rpn.objectness": config.rpn.objectness,
        "roi.pool": config.roi.pool,
        "roi.half_pixel": config.roi.half_pixel,
        "roi.std": config.roi.std,
        "roi.class_agnostic": config.roi.class_agnostic,
        "context": config.context,
    }


def _other_anchors(state: Mapping[str, Tensor], config: FasterRcnnConfig) -> list[str]:
    """Compare the anchors of a file, where it has them, with those of the settings."""
    if CELLS not in state:
        return []
    cells_A4 = torch.tensor(config.anchors.cells(16))
    sizes, ratios = len(config.anchors.sizes), len(config.anchors.ratios)
    ours_A4 = cells_A4.unflatten(0, (ratios, sizes)).transpose(0, 1).flatten(0, 1)
    theirs_A4 = state[CELLS]
    alike = theirs_A4.shape == ours_A4.shape and torch.allclose(theirs_A4, ours_A4, atol=1e-3)
    return [] if alike else [f"{CELLS} are other anchors than those of the settings"]


def _shape(value: Tensor) -> str:
    return "x".join(map(str, value.shape)) or "a number"
