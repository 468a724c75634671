"""Packages that Residua can do without, and the line that installs them."""

from collections.abc import Iterable
from importlib.util import find_spec

from residua.errors import ConfigError

# By the extra that installs them, under the names by which they are imported.
EXTRAS = {
    "serve": ("fastapi", "uvicorn", "python_multipart"),
    "onnx": ("onnx", "onnxruntime", "onnxscript"),
    "openvino": ("openvino", "nncf"),
    "tensorboard": ("tensorboard",),
    "hub": ("huggingface_hub",),
}


def installed(package: str) -> bool:
    """Say whether a package can be imported, without doing it."""
    return find_spec(package) is not None


def lacking(packages: Iterable[str]) -> str | None:
    """Say which of some packages are missing: 'needs onnx: pip install "residua[onnx]"'.

    Args:
        packages: of `EXTRAS`.

    Returns:
        None if all are installed.
    """
    missing = [name for name in packages if not installed(name)]
    if not missing:
        return None
    extras = [extra for extra, names in EXTRAS.items() if not set(names).isdisjoint(missing)]
    return f'needs {" and ".join(missing)}: pip install "residua[{",".join(extras)}]"'


def require(what: object, packages: Iterable[str]) -> None:
    """Refuse to go on without packages.

    Args:
        what: needs them; begins the sentence.
        packages: of `EXTRAS`.

    Raises:
        ConfigError: one is missing.
    """
    if told := lacking(packages):
        raise ConfigError(f"{what} {told}")
