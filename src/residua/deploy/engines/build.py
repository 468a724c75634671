"""From a candidate to its files."""

from pathlib import Path

from residua.deploy.engines import compiled, onnxruntime, openvino, pytorch
from residua.deploy.engines.candidate import Candidate
from residua.deploy.engines.job import Job


def build(candidate: Candidate, job: Job, folder: Path) -> None:
    """Write what a candidate needs to compute; `loader.session` opens it.

    Whatever the engine's own packages raise is let through.
    """
    match candidate.kind:
        case "eager":
            pytorch.build(job, candidate.precision, folder)
        case "compiled":
            compiled.build(job, candidate.precision, folder)
        case "onnxruntime":
            onnxruntime.build(job, folder)
        case "openvino":
            openvino.build(job, candidate.precision, folder)
