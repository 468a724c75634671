"""OpenVINO, in float32 and bfloat16, and in int8 with ranges by NNCF.

Sources:
    [N] NNCF's post-training quantization: 300 pictures give the ranges of activations, then biases
        are corrected.
"""

import contextlib
import io
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

from residua.deploy.convert import to_openvino
from residua.deploy.engines.candidate import Number
from residua.deploy.engines.job import Job

FILE = "model.xml"
# Pictures that ranges are taken from: NNCF's own default ([N]).
CALIBRATION = 300


def build(job: Job, precision: Number, folder: Path) -> None:
    """Write model.xml and model.bin, a graph of any number of pictures.

    Float32 and bfloat16 share one graph; the precision is said when it is compiled.
    """
    tell_nobody()
    made = to_openvino.model(job.bound, dtype=job.pixels)
    if precision == "int8":
        made = quantized(made, job)
    to_openvino.write(made, folder / FILE, card={})


def quantized(made: Any, job: Job) -> Any:
    """Bring weights and activations to 8 bits, with the ranges of the calibration pictures."""
    import nncf

    nncf.set_log_level(logging.ERROR)
    pictures = [each[None].numpy() for each in job.calibration]
    # NNCF draws bars and tables on standard output.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        return nncf.quantize(made, nncf.Dataset(pictures), subset_size=len(pictures))


def tell_nobody() -> None:
    """Keep OpenVINO and NNCF from reporting over the network that they are used.

    Both report unless the user has forbidden it in a file of theirs; without this package they do
    not. Where something else has loaded it already, it stays.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
