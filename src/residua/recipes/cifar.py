"""CIFAR-10 as in He et al. 2015, section 4.2, table 6 and figure 6.

64,000 updates of 128 pictures, rate 0.1 divided by 10 after 32,000 and 48,000; 4 pixels of zeros
around each picture, a random crop, mirrored half the time; the mean of each pixel subtracted. The
authors chose the schedule with 5,000 pictures held out (`--data.holdout 5000`) and tested what was
learned from the training set; here that is all 50,000, and the weights of the last update.

The plain nets have no table: figure 6 shows that their error grows from 20 to 56 layers, and the
text that 110 layers stay above 60 %.

Source: He et al., Deep Residual Learning, arXiv:1512.03385, section 4.2 and table 6.
"""

from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config
from residua.data.normalize import PixelMean
from residua.experiment import Claim, Experiment
from residua.nets.cifar import CifarConfig
from residua.train.feedback import EasedStepsConfig
from residua.train.optimize import SgdConfig
from residua.train.pace import Schedule
from residua.train.schedule import StepsConfig

__all__ = [
    "plain20",
    "plain32",
    "plain44",
    "plain56",
    "plain110",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "resnet1202",
]

SOURCE = "arXiv:1512.03385, table 6"
STEPS = StepsConfig(lr=0.1, at=(32_000, 48_000), factor=0.1, until=64_000)
# Section 4.2: 0.01 "until the training error is below 80 % (about 400 iterations)".
EASED = EasedStepsConfig(
    lr=0.1, warmup_lr=0.01, below=80.0, at=(32_000, 48_000), factor=0.1, until=64_000
)


def _cifar(name: str, net: CifarConfig, *claims: Claim, schedule: Schedule = STEPS) -> Experiment:
    return Experiment(
        name=f"cifar.{name}",
        net=net,
        data=Cifar10Config(),
        augment=PadCropFlip(pad=4),
        normalize=PixelMean(),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4),
        schedule=schedule,
        batch_size=128,
        claims=claims,
    )


def _plain(depth: int) -> Experiment:
    return _cifar(f"plain{depth}", CifarConfig(depth=depth, shortcut="none"))


def _residual(depth: int, error: float) -> Experiment:
    return _cifar(f"resnet{depth}", CifarConfig(depth=depth), Claim.error(error, SOURCE))


def resnet20() -> Experiment:
    """ResNet-20 on CIFAR-10: 8.75 % test error in the paper."""
    return _residual(20, 8.75)


def resnet32() -> Experiment:
    """ResNet-32 on CIFAR-10: 7.51 % test error in the paper."""
    return _residual(32, 7.51)


def resnet44() -> Experiment:
    """ResNet-44 on CIFAR-10: 7.17 % test error in the paper."""
    return _residual(44, 7.17)


def resnet56() -> Experiment:
    """ResNet-56 on CIFAR-10: 6.97 % test error in the paper."""
    return _residual(56, 6.97)


def resnet110() -> Experiment:
    """ResNet-110 on CIFAR-10, with a low rate at first: 6.61 % mean test error of 5 in the paper.

    The standard deviation of the five is 0.16, the best of them 6.43 %.
    """
    return _cifar(
        "resnet110",
        CifarConfig(depth=110),
        Claim.error(6.43, SOURCE, statistic="best of 5"),
        Claim.error(6.61, SOURCE, statistic="mean of 5"),
        schedule=EASED,
    )


def resnet1202() -> Experiment:
    """ResNet-1202 on CIFAR-10: 7.93 % test error in the paper, worse than 110 layers."""
    return _residual(1202, 7.93)


def plain20() -> Experiment:
    """ResNet-20 on CIFAR-10 without its shortcuts."""
    return _plain(20)


def plain32() -> Experiment:
    """ResNet-32 on CIFAR-10 without its shortcuts."""
    return _plain(32)


def plain44() -> Experiment:
    """ResNet-44 on CIFAR-10 without its shortcuts."""
    return _plain(44)


def plain56() -> Experiment:
    """ResNet-56 on CIFAR-10 without its shortcuts: worse than 20 plain layers in the paper."""
    return _plain(56)


def plain110() -> Experiment:
    """ResNet-110 on CIFAR-10 without its shortcuts: above 60 % error in the paper.

    The low rate at first is told of the residual net alone; here the plain one has none.
    """
    return _plain(110)
