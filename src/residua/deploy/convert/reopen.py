"""Files of all formats, read again as functions of pixels: to compare them with the net.

Dimension key:
    N pictures   C channels   H, W height and width   K classes
"""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from residua.deploy.convert.formats import Format
from residua.deploy.convert.parity import Logits
from residua.deploy.convert.program import PIXELS
from residua.deploy.convert.to_torchvision import theirs
from residua.deploy.loader import openvino_core
from residua.nets.preprocessing import Preprocessing
from residua.runs import read_weights

# OpenVINO computes in bfloat16 where the processor does; what is compared is the file.
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def reopened(to: Format, path: Path, dtype: torch.dtype, build: Callable[[], nn.Module]) -> Logits:
    """Read a file as a function of uint8 pixels N, C, H, W to logits N, K.

    Args:
        to: its format.
        path: of the file.
        dtype: of the pixels that it takes.
        build: makes the net that weights go into, for files that hold nothing else.
    """
    match to:
        case "pt2":
            graph = pt2(path)
            return lambda pixels: graph(pixels.to(dtype))
        case "onnx":
            ask = onnx(path)
            return lambda pixels: ask({PIXELS: pixels.to(dtype)})[0]
        case "openvino":
            ask = openvino(path)
            return lambda pixels: ask({PIXELS: pixels.to(dtype)})[0]
        case "safetensors":
            return _safetensors(path, build())
        case "torchvision":
            return _torchvision(path)


Ask = Callable[[dict[str, Tensor]], list[Tensor]]


def pt2(path: Path) -> nn.Module:
    """Read a graph of PyTorch."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.export.load(path).module()


def onnx(path: Path) -> Ask:
    """Read an ONNX file with onnxruntime, on the processor."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def ask(inputs: dict[str, Tensor]) -> list[Tensor]:
        found = session.run(None, {name: value.numpy() for name, value in inputs.items()})
        return [torch.from_numpy(each) for each in found]

    return ask


def openvino(path: Path) -> Ask:
    """Read OpenVINO's files, to compute on the processor in float32."""
    core = openvino_core()
    compiled = core.compile_model(core.read_model(path), "CPU", EXACT)

    def ask(inputs: dict[str, Tensor]) -> list[Tensor]:
        found = compiled({name: value.numpy() for name, value in inputs.items()})
        # The arrays are overwritten by the next call.
        return [torch.from_numpy(found[output].copy()) for output in compiled.outputs]

    return ask


def _safetensors(path: Path, net: nn.Module) -> Logits:
    normalize = read_weights(path, net)
    net.eval()
    return lambda pixels: net(normalize(pixels))


def _torchvision(path: Path) -> Logits:
    card: dict[str, Any] = json.loads(path.with_suffix(".json").read_text())
    net = theirs(card["torchvision"], torch.load(path, weights_only=True))
    prepare = Preprocessing(mean=card["mean"], std=card["std"])
    return lambda pixels: net(prepare(pixels.float() / 255))
