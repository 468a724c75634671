"""A bound net as PyTorch's own file of a graph, which needs no code of ours to be used."""

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch.export import ExportedProgram

from residua import files
from residua.deploy.convert.bound import Bound
from residua.deploy.convert.program import program

# The file within the archive that has the card, as JSON.
CARD = "residua.json"


def to_pt2(
    bound: Bound,
    path: Path,
    *,
    card: Mapping[str, Any] | None = None,
    dtype: torch.dtype = torch.uint8,
) -> None:
    """Write a bound net for `torch.export.load`: pixels N, C, H, W to logits N, K, for any N.

    Args:
        bound: in eval mode.
        path: of the file.
        card: what else the file is to say.
        dtype: of the pixels, uint8 or float32.

    Raises:
        ConfigError: the net cannot be traced.
        RunError: the file cannot be written.
    """
    write(program(bound, dtype=dtype), path, card=card or {})


def write(traced: ExportedProgram, path: Path, *, card: Mapping[str, Any]) -> None:
    """Write a graph.

    Raises:
        RunError: the file cannot be written.
    """
    buffer = io.BytesIO()
    torch.export.save(traced, buffer, extra_files={CARD: json.dumps(card)})
    files.write(path, buffer.getvalue())
