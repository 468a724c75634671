"""The 6n+2 networks on the 1,797 handwritten digits that come with scikit-learn.

No paper has these: they are the first minute, and a degradation experiment that fits a laptop. The
networks are those of He et al. 2015, section 4.2, as they are, on pictures of 8x8 pixels.

How the settings were chosen: augmentation, weight decay and the cosine were picked among eight
candidates by held-out error on four other random splits of the same 1,797 pictures, whose held-out
parts include pictures of today's test part; the number of iterations by validation error alone. The
test error is therefore somewhat flattering, by an amount that was not measured.
"""

from typing import Literal

from residua.data.augment import RotateShift
from residua.data.sets import DigitsConfig
from residua.experiment import Experiment
from residua.nets.cifar import CifarConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import CosineConfig

__all__ = ["plain20", "plain56", "plain110", "resnet20", "resnet56", "resnet110"]


def _digits(name: str, depth: int, shortcut: Literal["A", "none"]) -> Experiment:
    return Experiment(
        name=f"digits.{name}",
        net=CifarConfig(depth=depth, shortcut=shortcut, in_channels=1),
        data=DigitsConfig(),
        augment=RotateShift(degrees=12.0, pixels=0.6),
        optimizer=SgdConfig(weight_decay=5e-4, nesterov=True),
        schedule=CosineConfig(lr=0.1, until=800, warmup=60),
        batch_size=128,
        precision="float32",
    )


def resnet20() -> Experiment:
    """ResNet-20 on 8x8 digits: about 1 % test error after about 20 s on two cores."""
    return _digits("resnet20", 20, "A")


def resnet56() -> Experiment:
    """ResNet-56 on 8x8 digits: about as good as ResNet-20, at three times its cost."""
    return _digits("resnet56", 56, "A")


def resnet110() -> Experiment:
    """ResNet-110 on 8x8 digits: trains as well, at six times the cost of ResNet-20."""
    return _digits("resnet110", 110, "A")


def plain20() -> Experiment:
    """ResNet-20 without its shortcuts: still trains."""
    return _digits("plain20", 20, "none")


def plain56() -> Experiment:
    """ResNet-56 without its shortcuts: has the capacity, and fails to train."""
    return _digits("plain56", 56, "none")


def plain110() -> Experiment:
    """ResNet-110 without its shortcuts: learns next to nothing."""
    return _digits("plain110", 110, "none")
