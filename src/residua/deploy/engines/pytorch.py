"""PyTorch, operation by operation: what is left to gain when batch normalization is folded."""

import warnings
from pathlib import Path

import torch
from torch.export import Dim

from residua.deploy.convert.program import anonymous
from residua.deploy.engines.candidate import Number
from residua.deploy.engines.job import Job

FILE = "model.pt2"


def build(job: Job, precision: Number, folder: Path) -> None:
    """Write model.pt2, a graph of any number of pictures."""
    net = job.net(precision)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # Without gradients ReLU and addition write over their input, in the graph too. Two
        # pictures, since the tracer takes a size of one for a constant.
        program = torch.export.export(
            net, (job.example(2),), dynamic_shapes={"pixels_NCHW": {0: Dim("batch", min=1)}}
        )
        torch.export.save(anonymous(program), folder / FILE)
