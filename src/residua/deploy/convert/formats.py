"""The formats that a trained net is written in: their files, and what they need."""

from collections.abc import Iterable
from importlib.util import find_spec
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

# What writing a format and reading it again takes, by the extra that installs it.
NEEDS: dict[Format, tuple[tuple[str, ...], str]] = {
    "onnx": (("onnx", "onnxscript", "onnxruntime"), "onnx"),
    "openvino": (("openvino",), "openvino"),
}


def require(packages: Iterable[str], extra: str) -> None:
    """See that packages are installed.

    Args:
        packages: their names.
        extra: of Residua, which installs them.

    Raises:
        ConfigError: one is not there.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        are = "is" if len(missing) == 1 else "are"
        raise ConfigError(
            f'{" and ".join(missing)} {are} not installed: pip install "residua[{extra}]"'
        )


def check_installed(to: Format) -> None:
    """See that a format can be written and read again.

    Raises:
        ConfigError: a package is missing.
    """
    if to in NEEDS:
        require(*NEEDS[to])


def check_path(to: Format, path: Path) -> None:
    """See that a file has the ending of its format.

    Raises:
        ConfigError: it has another.
    """
    if path.suffix != ENDINGS[to][0]:
        raise ConfigError(f"--out must name a file that ends in {ENDINGS[to][0]}, got {path}")
