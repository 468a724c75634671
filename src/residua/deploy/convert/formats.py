"""The formats that a trained net is written in: their files, and what they need."""

from pathlib import Path
from typing import Literal

from residua.errors import ConfigError

Format = Literal["pt2", "onnx", "openvino", "safetensors", "torchvision"]
# Of the pixels that a graph takes.
Pixels = Literal["uint8", "float32"]

# What the names of a format's files end in; the first is the one that is named.
ENDINGS: dict[Format, tuple[str, ...]] = {
    "pt2": (".pt2",),
    "onnx": (".onnx",),
    "openvino": (".xml", ".bin"),
    "safetensors": (".safetensors",),
    "torchvision": (".pth", ".json"),
}
# Formats with the graph of the net, which have the preprocessing in them too.
GRAPHS: tuple[Format, ...] = ("pt2", "onnx", "openvino")

# What writing a format and reading it again takes.
NEEDS: dict[Format, tuple[str, ...]] = {
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("openvino",),
}


def check_path(to: Format, path: Path) -> None:
    """See that a file has the ending of its format.

    Raises:
        ConfigError: it has another.
    """
    if path.suffix != ENDINGS[to][0]:
        raise ConfigError(f"--out must name a file that ends in {ENDINGS[to][0]}, got {path}")
