"""What torch.compile makes of a net with frozen weights, compiled now and kept as programs.

A program is of one number of pictures, one processor's instructions and one version of PyTorch. It
needs no compiler where it is used.
"""

import warnings
from pathlib import Path

import torch

from residua.deploy.convert.program import anonymous
from residua.deploy.engines.candidate import Number
from residua.deploy.engines.job import Job


def build(job: Job, precision: Number, folder: Path) -> None:
    """Write model_N.pt2, a program for each number of pictures."""
    for size in job.batch_sizes:
        compile_for(job, precision, size, folder / f"model_{size}.pt2")


def compile_for(job: Job, precision: Number, size: int, path: Path) -> None:
    """Compile for one number of pictures; that takes up to a minute."""
    net = job.net(precision)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with torch.enable_grad():
            program = anonymous(torch.export.export(net, (job.example(size),)))
        # Weights are only frozen, that is brought into the order of the kernels, where no gradient
        # is wanted.
        with torch.no_grad():
            torch._inductor.aoti_compile_and_package(
                program, package_path=str(path), inductor_configs={"freezing": True}
            )
