"""A bound net as OpenVINO's two files, an .xml with the graph and a .bin with the weights."""

import json
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from residua import files
from residua.deploy.convert.bound import Bound
from residua.deploy.convert.program import LOGITS, PIXELS, program
from residua.errors import ConfigError
from residua.extras import require

# Where the .xml file has the card, as JSON: rt_info / residua / card.
CARD = ["residua", "card"]


def to_openvino(
    bound: Bound,
    path: Path,
    *,
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.uint8,
) -> None:
    """Write a bound net for OpenVINO: "pixels" N, C, H, W in [0, 255] to "logits" N, K, any N.

    Weights are written in float32. OpenVINO computes in bfloat16 where the processor does, unless
    it is told otherwise when it compiles the net: INFERENCE_PRECISION_HINT=f32.

    Args:
        bound: in eval mode.
        path: of the .xml file; the .bin lies beside it.
        card: what else the file is to say, in its runtime information.
        dtype: of the pixels, uint8 or float32.

    Raises:
        ConfigError: OpenVINO is missing, or the net cannot be expressed.
        RunError: a file cannot be written.
    """
    write(model(bound, dtype=dtype), path, card=card or {})


def model(bound: Bound, *, dtype: torch.dtype = torch.uint8) -> Any:
    """Return an `openvino.Model` of a bound net, in memory.

    Args:
        bound: in eval mode.
        dtype: of the pixels, uint8 or float32.

    Raises:
        ConfigError: OpenVINO is missing, or the net cannot be expressed.
    """
    require("a file of OpenVINO", ("openvino",))
    tell_nobody()
    import openvino

    traced = program(bound, dtype=dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = openvino.convert_model(traced, share_weights=False)
        except Exception as error:  # OpenVINO has many kinds
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(f"the net cannot be written for OpenVINO: {first}") from error
    made.inputs[0].get_tensor().set_names({PIXELS})
    made.reshape({PIXELS: [-1, *bound.shape]})
    made.outputs[0].get_tensor().set_names({LOGITS})
    return made


def write(made: Any, path: Path, *, card: Mapping[str, Any]) -> None:
    """Write an `openvino.Model`, the .bin before the .xml that needs it.

    Args:
        made: the model; gets the card.
        path: of the .xml file.
        card: what else the file is to say.

    Raises:
        RunError: a file cannot be written.
    """
    import openvino

    made.set_rt_info(json.dumps(card), CARD)
    with files.explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent) as beside:
            first = Path(beside) / path.name
            openvino.save_model(made, first, compress_to_fp16=False)
            for suffix in (".bin", ".xml"):
                first.with_suffix(suffix).replace(path.with_suffix(suffix))


def tell_nobody() -> None:
    """Keep OpenVINO and NNCF from reporting over the network that they are used.

    Both report unless the user has forbidden it in a file of theirs; without this package they do
    not. Where something else has loaded it already, it stays.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
