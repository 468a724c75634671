"""Scores in files, and ensembles of them.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 5 (an ensemble of six networks).
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import safetensors
import safetensors.torch
import torch

from residua import files
from residua.data.views import Rule
from residua.errors import ConfigError, DataError
from residua.evaluate.score import averaged
from residua.evaluate.tally import Scores

SUFFIX = ".safetensors"
METADATA_KEY = "residua_scores"


def save(found: Scores, path: Path) -> None:
    """Write scores with labels, class names, protocol and the fingerprint of the pictures.

    Raises:
        ConfigError: the name of the file ends otherwise than in .safetensors.
        RunError: it could not be written; an older file of that name is as it was.
    """
    if path.suffix != SUFFIX:
        raise ConfigError(f"{path}: scores are saved as safetensors (end the name in {SUFFIX})")
    facts = {
        "protocol": found.protocol,
        "classes": found.classes,
        "fingerprint": found.fingerprint,
    }
    tensors = {"logits": found.logits.contiguous(), "labels": found.labels.contiguous()}
    files.write(path, safetensors.torch.save(tensors, {METADATA_KEY: json.dumps(facts)}))


def load(path: Path) -> Scores:
    """Read scores that `save` wrote.

    Raises:
        DataError: there is no such file, it is damaged, or it holds something else.
    """
    if not path.is_file():
        raise DataError(f"{path} is not there")
    try:
        with safetensors.safe_open(path, "pt") as file:
            facts = json.loads((file.metadata() or {})[METADATA_KEY])
            return Scores(
                file.get_tensor("logits"),
                file.get_tensor("labels"),
                facts["protocol"],
                tuple(facts["classes"]),
                facts["fingerprint"],
            )
    except KeyError:
        raise DataError(
            f"{path} does not hold scores (`residua evaluate RUN --save FILE` writes them)"
        ) from None
    except (safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise DataError(f"{path} is damaged: {error}") from None


def ensemble(parts: Sequence[Scores], *, rule: Rule = "probabilities") -> Scores:
    """Average what several networks said of the same pictures, each with the same weight.

    Args:
        parts: of the networks; their protocols may differ.
        rule: what is averaged; [R] does not say, and probabilities are the default.

    Raises:
        ConfigError: there are none.
        DataError: the pictures, their labels or the classes differ.
    """
    if not parts:
        raise ConfigError("an ensemble needs the scores of at least one network, got none")
    first = parts[0]
    for number, other in enumerate(parts[1:], start=2):
        _check_same(first, other, number)
    if len(parts) == 1:
        return first
    protocols = list(dict.fromkeys(part.protocol for part in parts))
    by = (
        f"each by {protocols[0]}" if len(protocols) == 1 else f"by ({') and by ('.join(protocols)})"
    )
    protocol = f"ensemble of {len(parts)}, mean of the {rule}; {by}"
    logits = averaged(torch.stack([part.logits for part in parts], dim=1), rule)
    return dataclasses.replace(first, logits=logits, protocol=protocol)


def _check_same(first: Scores, other: Scores, number: int) -> None:
    if other.classes != first.classes or other.logits.shape[1] != first.logits.shape[1]:
        what = f"classes ({_first_names(first)} and {_first_names(other)})"
    elif other.fingerprint != first.fingerprint:
        what = f"pictures (fingerprints {first.fingerprint} and {other.fingerprint})"
    elif not torch.equal(other.labels, first.labels):
        what = "labels"
    else:
        return
    raise DataError(
        f"scores 1 and {number} of the ensemble are of different {what}: an ensemble needs what "
        "each network said of the same pictures, in the same order"
    )


def _first_names(found: Scores) -> str:
    names = ", ".join(found.classes[:3]) or "without names"
    return f"{found.logits.shape[1]}: {names}{', ...' if len(found.classes) > 3 else ''}"
