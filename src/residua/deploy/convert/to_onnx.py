"""A bound net as an ONNX file."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from residua import files
from residua.deploy.convert.bound import Bound
from residua.deploy.convert.program import LOGITS, PIXELS, program
from residua.errors import ConfigError
from residua.extras import require

# Under this key the metadata of the file has the card, as JSON.
CARD = "residua"
# A file of protocol buffers cannot be longer.
MOST_BYTES = 2**31 - 1


def to_onnx(
    bound: Bound,
    path: Path,
    *,
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.uint8,
) -> None:
    """Write a bound net as ONNX: "pixels" N, C, H, W in [0, 255] to "logits" N, K, for any N.

    Args:
        bound: in eval mode.
        path: of the file.
        card: what else the file is to say, in its metadata.
        dtype: of the pixels, uint8 or float32.

    Raises:
        ConfigError: a package is missing, or the net cannot be expressed.
        RunError: the file cannot be written.
    """
    require("a file of ONNX", ("onnx", "onnxscript"))
    write(program(bound, dtype=dtype), path, inputs=[PIXELS], outputs=[LOGITS], card=card or {})


def write(
    traced: ExportedProgram,
    path: Path,
    *,
    inputs: list[str],
    outputs: list[str],
    card: Mapping[str, Any],
    translations: dict[Any, Any] | None = None,
) -> None:
    """Translate a graph and write it.

    Args:
        traced: the graph.
        path: of the file.
        inputs: names of what goes in.
        outputs: names of what comes out.
        card: what else the file is to say.
        translations: of operations that the exporter does not know.

    Raises:
        ConfigError: an operation has no translation, or the net is too large for one file.
        RunError: the file cannot be written.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            made = torch.onnx.export(
                traced,
                dynamo=True,
                verbose=False,
                input_names=inputs,
                output_names=outputs,
                custom_translation_table=translations,
            )
        except Exception as error:  # the exporter has many kinds
            first = str(error).strip().partition("\n")[0]
            raise ConfigError(f"the net cannot be written as ONNX: {first}") from error
    if made is None:
        raise AssertionError("without a file, the exporter returns the program")
    model = made.model_proto
    _name_batch(model)
    for node in model.graph.node:
        # What the exporter notes of where an operation came from.
        del node.metadata_props[:]
    model.metadata_props.add(key=CARD, value=json.dumps(card))
    if model.ByteSize() > MOST_BYTES:
        raise ConfigError(
            f"the net takes {model.ByteSize() / 1e9:.1f} GB, and an ONNX file at most 2.1 GB "
            "(--to pt2 has no such limit)"
        )
    files.write(path, model.SerializeToString())


def _name_batch(model: Any) -> None:
    """Call the number of pictures N, whatever symbol the tracer had for it."""
    graph = model.graph
    symbol = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for length in value.type.tensor_type.shape.dim:
            if symbol and length.dim_param == symbol:
                length.dim_param = "N"
