"""A module as a graph with a batch of any size: what all formats but weights are written from.

Dimension key:
    N pictures   C channels   H, W height and width
"""

import warnings

import torch
from torch.export import Dim, ExportedProgram

from residua.deploy.convert.bound import Bound
from residua.errors import ConfigError

# Names of what goes in and comes out, in every format that has names.
PIXELS = "pixels"
LOGITS = "logits"


def program(bound: Bound, *, dtype: torch.dtype = torch.uint8) -> ExportedProgram:
    """Trace a bound net; the graph takes N pictures for any N, of one height and width.

    Args:
        bound: in eval mode.
        dtype: of the pixels that the graph takes, uint8 or float32.

    Raises:
        ConfigError: the net cannot be traced, or its operations fix the number of pictures.
    """
    # Two pictures, since the tracer takes a size of one for a constant.
    example = torch.zeros(2, *bound.shape, dtype=dtype)
    try:
        # ReLU and addition write over their input where no gradient is wanted; a graph of that
        # would be full of copies.
        with warnings.catch_warnings(), torch.enable_grad():
            warnings.simplefilter("ignore")
            return torch.export.export(
                bound, (example,), dynamic_shapes={"pixels_NCHW": {0: Dim("batch", min=1)}}
            )
    except Exception as error:  # the tracer has many kinds, and a net of one's own may raise any
        first = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"the net cannot be exported: torch.export cannot trace {type(bound.net).__name__} "
            f"({type(error).__name__}: {first})"
        ) from error
