"""The classifier of a run as a file for other systems.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from residua import runs
from residua.deploy.convert.bound import Bound, bind
from residua.deploy.convert.card import card
from residua.deploy.convert.formats import ENDINGS, GRAPHS, Format
from residua.deploy.convert.parity import Parity, answers, compare
from residua.deploy.convert.reopen import reopened
from residua.deploy.convert.to_onnx import to_onnx
from residua.deploy.convert.to_openvino import to_openvino
from residua.deploy.convert.to_pt2 import to_pt2
from residua.deploy.convert.to_torchvision import to_torchvision
from residua.deploy.exported import Exported
from residua.deploy.plan import ExportPlan
from residua.deploy.staging import staged
from residua.errors import ConfigError
from residua.runs import TrainedNet

# Pictures that a file is compared with the net on.
CHECK = 64


def export(folder: Path, plan: ExportPlan, path: Path, *, net: nn.Module | None = None) -> Exported:
    """Write the net of a run, and compare what was written with it; `deploy.export` says more.

    Args:
        folder: of the run.
        plan: which `validate` has looked at.
        path: of the first file.
        net: the module, if the experiment was given one in Python.
    """
    trained = runs.load(folder, weights=plan.weights, net=net)
    _check_fit(trained, plan.to)
    count = CHECK if plan.check is None else plan.check
    pixels_NCHW, words = some_pictures(trained, count) if count else (None, "")
    _check_head(trained)
    told = card(trained, plan.to, plan.pixels)
    endings = ENDINGS[plan.to]
    with staged(path, endings) as beside:
        _write(trained, plan, beside, told)
        parity = None if pixels_NCHW is None else _parity(trained, plan, beside, pixels_NCHW)
    graph = plan.to in GRAPHS
    shape = "x".join(map(str, trained.shape))
    return Exported(
        to=plan.to,
        files=[path.with_suffix(ending) for ending in endings],
        takes=f"Nx{shape} pixels in [0, 255], {plan.pixels}, any N" if graph else f"Nx{shape}",
        gives=f"logits Nx{len(trained.classes)}",
        preprocessing="in the graph" if graph else f"not in the weights, but in {_where(path)}",
        parity=parity,
        compared_on=words,
    )


def some_pictures(trained: TrainedNet, count: int) -> tuple[Tensor, str]:
    """Take pictures of a run to compare with: evenly among those to choose with, or to test on.

    Args:
        trained: the net with what belongs to it.
        count: how many at most.

    Returns:
        N, C, H, W of uint8, and what they are in words.

    Raises:
        DataError: they cannot be read.
        ConfigError: the data were handed over in Python.
    """
    try:
        splits = trained.experiment.load_data()
    except ConfigError as error:
        raise ConfigError(f"{error} (or leave the comparison out with --check 0)") from None
    part = splits.test if splits.validation is None else splits.validation
    name = "test" if splits.validation is None else "validation"
    taken = min(count, len(part))
    chosen = torch.linspace(0, len(part) - 1, taken).round().long().tolist()
    pixels_NCHW = torch.stack([part[index].cpu() for index in chosen])
    return pixels_NCHW, f"{taken:,} of {len(part):,} {name} pictures"


def expected(trained: TrainedNet, pixels_NCHW: Tensor) -> Tensor:
    """Return the logits of the net itself, in float32: N, K."""
    return answers(lambda pixels: trained.net(trained.normalize(pixels)).float(), pixels_NCHW)


def _write(trained: TrainedNet, plan: ExportPlan, path: Path, told: Mapping[str, Any]) -> None:
    dtype = getattr(torch, plan.pixels)
    match plan.to:
        case "pt2":
            to_pt2(_bound(trained), path, card=told, dtype=dtype)
        case "onnx":
            to_onnx(_bound(trained), path, card=told, dtype=dtype)
        case "openvino":
            to_openvino(_bound(trained), path, card=told, dtype=dtype)
        case "safetensors":
            runs.save_net(
                trained.net,
                path,
                experiment=trained.experiment,
                classes=trained.classes,
                shape=trained.shape,
                normalize=trained.normalize,
                more=told,
            )
        case "torchvision":
            to_torchvision(trained.net, path, card=told)


def _bound(trained: TrainedNet) -> Bound:
    return bind(trained.net, trained.normalize, trained.shape)


def _parity(trained: TrainedNet, plan: ExportPlan, path: Path, pixels_NCHW: Tensor) -> Parity:
    """Compare a file with the net.

    Raises:
        RunError: they differ by more than is allowed.
    """
    dtype = getattr(torch, plan.pixels)
    file = reopened(plan.to, path, dtype, lambda: copy.deepcopy(trained.net))
    parity = compare(expected(trained, pixels_NCHW), answers(file, pixels_NCHW))
    parity.check(plan.tolerance)
    return parity


def _check_fit(trained: TrainedNet, to: Format) -> None:
    """Refuse a format that cannot say what the pictures are prepared with.

    Raises:
        ConfigError: it cannot.
    """
    preparation = trained.normalize.preparation
    if to == "torchvision" and preparation is not None:
        raise ConfigError(
            f"pictures of this net are first {preparation.what}, which no net of torchvision does "
            "(--to pt2, onnx and openvino have it in the graph, safetensors has its arrays)"
        )


def _check_head(trained: TrainedNet) -> None:
    """See that the net has an output for every class.

    Raises:
        ConfigError: it has not.
    """
    blank = torch.zeros(2, *trained.shape, dtype=torch.uint8)
    with torch.inference_mode():
        given = tuple(trained.net(trained.normalize(blank)).shape)
    if given != (2, len(trained.classes)):
        raise ConfigError(
            f"the net of {trained.folder} gives {given} for 2 pictures, but the run has "
            f"{len(trained.classes)} classes: its head is not the one that was trained"
        )


def _where(path: Path) -> str:
    suffix = ".json" if path.suffix == ".pth" else path.suffix
    return path.with_suffix(suffix).name
