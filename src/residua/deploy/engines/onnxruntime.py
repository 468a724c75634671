"""onnxruntime, in float32: its kernels for processors have no convolution in bfloat16."""

from pathlib import Path

from residua.deploy.convert.to_onnx import to_onnx
from residua.deploy.engines.job import Job

FILE = "model.onnx"


def build(job: Job, folder: Path) -> None:
    """Write model.onnx, a graph of any number of pictures."""
    to_onnx(job.bound, folder / FILE, dtype=job.pixels)
