"""Weights with a card in their own file: what Residua keeps, by its own names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from residua.data.normalize import Normalize
from residua.errors import RunError
from residua.nets.preprocessing import Preprocessing
from residua.nets.reading import read
from residua.nets.weights import apart, save
from residua.trained_detector import TrainedDetector


def detector_to_safetensors(
    trained: TrainedDetector, path: Path, *, card: Mapping[str, Any]
) -> None:
    """Write the weights of a detector, and read them again.

    Args:
        trained: the detector with what belongs to it.
        path: of the file.
        card: what the file is to say of itself.

    Raises:
        RunError: the file cannot be written, or does not hold what the net has.
    """
    detector = trained.detector
    normalize = detector.normalize
    assert isinstance(normalize, Normalize)
    mean, std = normalize.numbers()
    save(
        detector.net,
        path,
        config=trained.experiment.net,
        preprocessing=Preprocessing(mean=mean, std=std, source="what the trunk was trained on"),
        card=dict(card),
    )
    state, _ = apart(read(path)[0])
    own = detector.net.state_dict()
    if state.keys() != own.keys() or any(not torch.equal(own[k], state[k]) for k in own):
        raise RunError(f"{path} does not hold the weights that were written")
