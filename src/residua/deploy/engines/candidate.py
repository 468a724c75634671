"""What may compute a net: an engine in a precision, and whether it can be tried here."""

import os
import shutil
from typing import Literal

import torch

from residua import runtime
from residua.config import settings
from residua.extras import installed, lacking

Kind = Literal["eager", "compiled", "onnxruntime", "openvino"]
Number = Literal["float32", "bfloat16", "int8"]

TITLES: dict[Kind, str] = {
    "eager": "PyTorch",
    "compiled": "torch.compile",
    "onnxruntime": "onnxruntime",
    "openvino": "OpenVINO",
}
# The packages that an engine needs to be made.
NEEDS: dict[Kind, tuple[str, ...]] = {
    "eager": (),
    "compiled": (),
    "onnxruntime": ("onnx", "onnxscript", "onnxruntime"),
    "openvino": ("openvino",),
}


@settings
class Candidate:
    """An engine in a precision.

    Attributes:
        kind: the engine. "eager" is PyTorch operation by operation with batch normalization folded,
            "compiled" what torch.compile's inductor makes of it with frozen weights.
        precision: of convolutions and matrix products.
    """

    kind: Kind
    precision: Number = "float32"

    @property
    def name(self) -> str:
        """How it is called in tables: "OpenVINO int8"."""
        return f"{TITLES[self.kind]} {self.precision}"

    @property
    def folder(self) -> str:
        """How a folder of it is called."""
        return f"{self.kind}_{self.precision}"


CANDIDATES = (
    Candidate(kind="eager"),
    Candidate(kind="eager", precision="bfloat16"),
    Candidate(kind="compiled"),
    Candidate(kind="compiled", precision="bfloat16"),
    Candidate(kind="onnxruntime"),
    Candidate(kind="openvino"),
    Candidate(kind="openvino", precision="bfloat16"),
    Candidate(kind="openvino", precision="int8"),
)


def absent(candidate: Candidate, device: torch.device) -> str | None:
    """Say why a candidate cannot be tried here, and what would change that; None if it can."""
    packages = NEEDS[candidate.kind]
    if told := lacking((*packages, "nncf") if candidate.precision == "int8" else packages):
        return told
    if candidate.kind == "compiled" and (what := _no_compiler(device)):
        return what
    if candidate.kind == "openvino" and device.type != "cpu":
        return "computes on the processor (--device cpu)"
    if candidate.kind == "onnxruntime" and device.type != "cpu" and not _computes_on_cuda(device):
        return f"does not compute on {device.type} here: pip install onnxruntime-gpu"
    if candidate.precision == "bfloat16":
        has = runtime.pick_dtype("auto", device) is torch.bfloat16
        return None if has else "this hardware does not compute in bfloat16"
    return None


def _no_compiler(device: torch.device) -> str | None:
    """Say what torch.compile lacks: of a processor it needs a C++ compiler, of a GPU Triton."""
    if device.type == "cuda":
        return None if installed("triton") else "needs triton: pip install triton"
    names = (os.environ.get("CXX", "g++"), "g++", "clang++", "cl")
    if any(shutil.which(name) for name in names):
        return None
    return "needs a C++ compiler: apt install g++ (or another, named in CXX)"


def _computes_on_cuda(device: torch.device) -> bool:
    import onnxruntime

    return (
        device.type == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers()
    )
