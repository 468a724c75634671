"""What a command is to ask: a run, or what `residua optimize` made of one."""

from pathlib import Path
from typing import Protocol

from residua import runtime
from residua.cli.options import refuse
from residua.deploy import artefact, predictor
from residua.runtime import Precision


class Asking(Protocol):
    """Options that say what is asked, and how it computes."""

    @property
    def run(self) -> str: ...
    @property
    def runs(self) -> Path: ...
    @property
    def weights(self) -> str | None: ...
    @property
    def device(self) -> str: ...
    @property
    def precision(self) -> Precision: ...


def load(options: Asking) -> predictor.Predictor:
    """Load what is asked.

    Raises:
        ConfigError: an option is not for what is asked, or the device is not there.
        CheckpointError: there is no such run, or it has no weights.
    """
    folder = artefact.find(options.run, options.runs)
    if artefact.is_artefact(folder):
        refuse(options, ("device", "precision"), f"runs, and {folder} was optimized for its own")
    return predictor.load(
        folder,
        weights=options.weights,
        device=runtime.pick_device(options.device),
        precision=options.precision,
    )
