"""What the networks of a study learn from, by a name or a folder, and how they are trained.

Every study trains the nets of He et al. for small pictures, so that what it compares is alike on
all data: on digits of 8x8 pixels, MNIST of 28x28, CIFAR-10, and any folder read at 32x32.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2.
    [P] He et al., Identity Mappings, arXiv:1603.05027, section 3 and appendix.
    [B] the blog post "Residual networks in Torch, MNIST", and its code: 30 epochs.
"""

import dataclasses
from pathlib import Path
from typing import Any, Literal

from residua import recipes
from residua.config import settings
from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config
from residua.data.folder import FilesConfig, FolderConfig
from residua.data.mnist import MnistConfig
from residua.errors import ConfigError, closest
from residua.experiment import Experiment
from residua.nets.cifar import CifarConfig
from residua.nets.imagenet import ImagenetConfig
from residua.recipes import cifar, pictures, preact
from residua.train.optimize import SgdConfig
from residua.train.pace import Schedule
from residua.train.schedule import CosineConfig, iterations

NAMES = ("digits", "mnist", "cifar10")
# Pictures that are kept to look at along the way; the test pictures are looked at once.
HOLDOUT = 5_000
# Height and width at which a folder is read, in pixels.
SIZE = 32

Paper = Literal["2015", "2016"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ground:
    """Pictures to learn from, and the training that all networks of a study share.

    Args:
        name: the first part of the names of its runs.
        experiment: whose net and name give way to those of the study.
        net: the one net of 6n+2 layers, with the channels and classes of the pictures.
        recipe: what "the whole recipe" is, in words.
        sentences: what a folder was recognised as.
    """

    name: str
    experiment: Experiment
    net: CifarConfig
    recipe: str
    sentences: tuple[str, ...] = ()

    @property
    def whole(self) -> int:
        """Updates of the whole recipe."""
        return self.experiment.schedule.until

    def with_net(self, name: str, **choices: Any) -> Experiment:
        """Return the experiment of a net of this name, with these settings of `CifarConfig`.

        Raises:
            ConfigError: there is no net of these settings.
        """
        net = dataclasses.replace(self.net, **choices)
        net.build()
        return dataclasses.replace(
            self.experiment, name=f"{self.name}.{name}", net=net, claims=(), seed=0
        )


@settings
class Length:
    """How long every training of a study is.

    Attributes:
        updates: of each training.
        why: as a sentence.
        predicted: seconds that all trainings together were predicted to take.
    """

    updates: int
    why: str
    predicted: float | None = None


def ground(data: str, paper: Paper = "2015", *, whole: bool = False) -> Ground:
    """Say what a study learns from.

    Args:
        data: "digits", "mnist", "cifar10", or a folder of pictures in classes.
        paper: on CIFAR-10, whose recipe: they differ in the first 400 updates.
        whole: learn from all training pictures where the papers do, and hold none out.

    Raises:
        ConfigError: there are no such data.
        DataError: a folder holds no pictures in classes.
    """
    match data:
        case "digits":
            experiment = recipes.find_classifier("digits.resnet20")
            told = f"{experiment.schedule.until} updates, as `residua train digits.resnet20`"
            return _ground("digits", experiment, told)
        case "mnist":
            until = iterations(30, 60_000, 128)
            told = f"{until:,} updates: 30 epochs, as in the blog post with MNIST nets"
            return _ground("mnist", _mnist(until), told)
        case "cifar10":
            recipe = cifar.resnet20() if paper == "2015" else preact.original110()
            kept = Cifar10Config(holdout=0 if whole else HOLDOUT)
            told = f"64,000 updates, as He et al. {paper}"
            return _ground("cifar10", dataclasses.replace(recipe, data=kept), told)
        case _:
            return _own(data)


def lasting(experiment: Experiment, schedule: Schedule, updates: int) -> Experiment:
    """Return the experiment with a schedule, shrunk or stretched if its length is another."""
    same = schedule.until == updates
    return dataclasses.replace(experiment, schedule=schedule if same else schedule.scaled(updates))


def _ground(
    name: str, experiment: Experiment, recipe: str, *, sentences: tuple[str, ...] = (), k: int = 10
) -> Ground:
    channels = {"digits": 1, "mnist": 1}.get(name, getattr(experiment.data, "channels", 3))
    return Ground(
        name=name,
        experiment=experiment,
        net=CifarConfig(in_channels=channels, num_classes=k),
        recipe=recipe,
        sentences=sentences,
    )


def _mnist(until: int) -> Experiment:
    """Train as on the digits, but on upright pictures: no paper has 6n+2 nets on MNIST."""
    return Experiment(
        name="mnist",
        net=CifarConfig(in_channels=1),
        data=MnistConfig(holdout=HOLDOUT),
        optimizer=SgdConfig(weight_decay=1e-4),
        schedule=CosineConfig(lr=0.1, until=until, warmup=until // 20),
        batch_size=128,
    )


def _own(data: str) -> Ground:
    if not Path(data).is_dir():
        raise ConfigError(
            f"data must be {', '.join(NAMES)} or a folder of pictures, got {data!r}"
            f"{closest(data, NAMES)}"
        )
    found = pictures.recognised(data)
    experiment = found.experiment
    read, net = experiment.data, experiment.net
    assert isinstance(read, FolderConfig | FilesConfig)
    assert isinstance(net, CifarConfig | ImagenetConfig)
    size = min(SIZE, read.size)
    smaller = dataclasses.replace(
        experiment,
        data=FolderConfig(
            path=read.path,
            size=size,
            channels=read.channels,
            validation=read.validation,
            test=read.test,
        ),
        augment=PadCropFlip(pad=size // 8),
        optimizer=SgdConfig(weight_decay=5e-4, nesterov=True),
    )
    told = f"{experiment.schedule.until:,} updates, as `residua train` makes of this folder"
    reading = f"for the study every picture is read at {size}x{size}, for nets of 6n+2 layers"
    return _ground(
        experiment.name, smaller, told, sentences=(*found.sentences, reading), k=net.num_classes
    )
