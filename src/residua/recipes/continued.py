"""A run that goes on with a changed net: what it learned, as the start of another training.

Data, augmentation, loss and optimizer are those of the run, but nobody teaches. The rate falls
along a cosine from a part of the run's own.
"""

import dataclasses
from pathlib import Path
from typing import Literal

from torch import nn

from residua import runs
from residua.errors import ConfigError
from residua.experiment import Experiment, Given
from residua.nets import weights
from residua.nets.catalogue import NetConfig
from residua.nets.preprocessing import Preprocessing
from residua.train.schedule import CosineConfig

__all__: list[str] = []

Change = Literal["deepened", "slimmed"]

# Of the updates of the run, and of its highest rate. Rules of thumb.
SHARES: dict[Change, tuple[float, float]] = {"deepened": (0.5, 0.5), "slimmed": (0.1, 0.1)}


def settings_of(trained: runs.TrainedNet) -> NetConfig:
    """Return the settings of a run's net.

    Raises:
        ConfigError: it was handed over in Python, so that its record cannot rebuild a changed one.
    """
    net = trained.experiment.net
    if isinstance(net, nn.Module | Given) or callable(net):
        raise ConfigError(
            f"{trained.folder} has a net that was handed over in Python: change it there with "
            "residua.deepen or residua.slim, and hand over what they return"
        )
    return net


def save_start(net: nn.Module, config: NetConfig, trained: runs.TrainedNet, path: Path) -> None:
    """Write the weights of a changed net, with what its run knows of the pictures.

    Args:
        net: the changed net.
        config: settings that build it.
        trained: the net that it was made of.
        path: of the file; must end in .safetensors.
    """
    mean, std = trained.normalize.numbers()
    # Pictures that are prepared first are prepared again from the same training pictures.
    plain = trained.normalize.preparation is None
    weights.save(
        net,
        path,
        config=config,
        preprocessing=Preprocessing(mean=mean, std=std, source=str(trained.folder))
        if plain
        else None,
        card={"classes": trained.classes, "shape": trained.shape},
    )


def continued(
    trained: runs.TrainedNet,
    change: Change,
    net: NetConfig,
    start: Path,
    *,
    updates: int | None = None,
    lr: float | None = None,
) -> Experiment:
    """Turn the experiment of a run into one with a changed net that starts from a file of weights.

    Args:
        trained: the run.
        change: what was done to its net.
        net: settings of the changed net.
        start: its weights.
        updates: of the training; by default a share of the run's.
        lr: the highest rate; by default a share of the run's.

    Raises:
        ConfigError: fewer than one update, or a rate that is not above zero.
    """
    old = trained.experiment
    share, part = SHARES[change]
    until = max(2, round(old.schedule.until * share)) if updates is None else updates
    rate = old.schedule.lr * part if lr is None else lr
    if until < 1:
        raise ConfigError(f"updates must be at least 1, got {until}")
    return dataclasses.replace(
        old,
        name=f"{old.name}_{change}",
        net=net,
        weights=str(start),
        loss=dataclasses.replace(old.loss, teacher=None),
        schedule=CosineConfig(lr=rate, until=until, warmup=until // 20),
        claims=(),
    )
