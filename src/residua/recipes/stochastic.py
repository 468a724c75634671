"""CIFAR-10, CIFAR-100 and SVHN as in Huang et al. 2016, with units that are skipped at random.

500 epochs of 45,000 pictures in batches of 128, rate 0.1 divided by 10 after half and after three
quarters of them, Nesterov's momentum; crops and mirror images, the mean and deviation of each
channel. The error is that of the epoch with the smallest validation error on the other 5,000.
Shortcuts average 2x2 pixels where the size halves.

SVHN: 50 epochs, the rate falls after 60 and 70 % of them. Not in our sources: how many of its
604,388 pictures are held out (6,000 here), its batches and rate (here those of CIFAR), and that it
is not augmented.

Source: Huang et al., Deep Networks with Stochastic Depth, arXiv:1603.09382, and the authors'
yueatsprograms/Stochastic_Depth, main.lua and README.md.
"""

from dataclasses import replace

from residua.data.augment import AsIs, PadCropFlip
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.normalize import ChannelStats
from residua.data.svhn import SvhnConfig
from residua.experiment import Claim, Experiment
from residua.nets.cifar import CifarConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig, iterations

__all__ = [
    "constant110",
    "stochastic110",
    "stochastic110_cifar100",
    "stochastic152_svhn",
    "stochastic1202",
]

HELD_OUT = 6_000
# Learned from: 73,257 and 531,131 easier ones without those that are held out.
SVHN = 604_388 - HELD_OUT
README = "yueatsprograms/Stochastic_Depth, README.md"


def _stochastic(
    name: str, survival: float, claim: Claim, *, depth: int = 110, hundred: bool = False
) -> Experiment:
    half, most, until = (iterations(epochs, 45_000, 128) for epochs in (250, 375, 500))
    return Experiment(
        name=f"stochastic.{name}",
        net=CifarConfig(
            depth=depth,
            shortcut="average_pad",
            survival=survival,
            num_classes=100 if hundred else 10,
        ),
        data=Cifar100Config(holdout=5_000) if hundred else Cifar10Config(holdout=5_000),
        augment=PadCropFlip(pad=4),
        normalize=ChannelStats(),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4, nesterov=True),
        schedule=StepsConfig(lr=0.1, at=(half, most), factor=0.1, until=until),
        batch_size=128,
        select="best",
        claims=(claim,),
    )


def stochastic110() -> Experiment:
    """110 layers, the last unit kept half the time: 5.25 % test error."""
    return _stochastic("stochastic110", 0.5, Claim.error(5.25, README))


def constant110() -> Experiment:
    """The same with every unit kept: 6.41 % test error."""
    return _stochastic("constant110", 1.0, Claim.error(6.41, README))


def stochastic110_cifar100() -> Experiment:
    """110 layers on CIFAR-100, the last unit kept half the time: 24.58 % test error.

    That is the number of the paper's first version.
    """
    claim = Claim.error(24.58, "arXiv:1603.09382v1, as quoted by arXiv:1605.07146")
    return _stochastic("stochastic110_cifar100", 0.5, claim, hundred=True)


def stochastic1202() -> Experiment:
    """1,202 layers, the last unit kept half the time: 4.91 % test error."""
    claim = Claim.error(4.91, "arXiv:1603.09382, abstract")
    return _stochastic("stochastic1202", 0.5, claim, depth=1202)


def stochastic152_svhn() -> Experiment:
    """152 layers on SVHN, the last unit kept half the time: 1.75 % test error."""
    made = _stochastic("stochastic152_svhn", 0.5, Claim.error(1.75, README), depth=152)
    falls = (iterations(30, SVHN, 128), iterations(35, SVHN, 128))
    return replace(
        made,
        data=SvhnConfig(extra=True, holdout=HELD_OUT),
        augment=AsIs(),
        schedule=StepsConfig(lr=0.1, at=falls, factor=0.1, until=iterations(50, SVHN, 128)),
    )
