"""Convolutional highway nets as the authors' solver and network files train them.

CIFAR: 200,000 updates of 100 pictures, rate 0.025 divided by 10 after 100,000, 150,000 and 175,000,
Nesterov's momentum, decay 1e-3 of weights alone, biases at twice the rate; global contrast
normalization, the mean picture subtracted, 8 pixels of zeros around each picture, a random crop,
mirrored half the time. MNIST: 180,000 updates, rate 0.01 divided by 10 after 60,000 and 120,000,
pixels divided by 256. Weights start as Caffe's "xavier" draws them.

Not in our sources: the norm of the contrast normalization, and whether the biases of the MNIST nets
decay (here they do, at the same rate as weights).

Sources:
    [H] Srivastava et al., Highway Networks, arXiv:1505.00387.
    [C] flukeskywalker/highway-networks, examples/highways: solver files and sample logs.
    [T] Srivastava et al., Training Very Deep Networks, arXiv:1507.06228.
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 6, which quotes [T].
    [P] He et al., Identity Mappings, arXiv:1603.05027, table 4, which quotes [T].
"""

from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.mnist import MnistConfig
from residua.data.normalize import ContrastNormalize, Scale
from residua.experiment import Claim, Experiment
from residua.nets.highway import HighwayConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig

__all__ = ["cifar19", "cifar19_cifar100", "mnist10", "mnist10_narrow"]

LOGS = "flukeskywalker/highway-networks, examples/highways, sample log"


def _cifar(name: str, *claims: Claim, classes: int) -> Experiment:
    return Experiment(
        name=f"highway.{name}",
        net=HighwayConfig(layout="cifar19", weights="xavier", num_classes=classes),
        data=Cifar10Config() if classes == 10 else Cifar100Config(),
        augment=PadCropFlip(pad=8),
        normalize=ContrastNormalize(),
        optimizer=SgdConfig(
            momentum=0.9, weight_decay=1e-3, nesterov=True, bias_lr=2.0, decay_bias=False
        ),
        schedule=StepsConfig(lr=0.025, at=(100_000, 150_000, 175_000), factor=0.1, until=200_000),
        batch_size=100,
        claims=claims,
    )


def cifar19() -> Experiment:
    """The 19-layer highway net on CIFAR-10: 7.72 % mean test error in the paper, 7.54 % at best."""
    source = "arXiv:1507.06228, as quoted by arXiv:1512.03385, table 6"
    return _cifar(
        "cifar19",
        Claim.error(7.54, source, statistic="best of several"),
        Claim.error(7.72, source, statistic="mean of several"),
        Claim.error(7.76, "arXiv:1505.00387", statistic="not stated"),
        Claim.error(7.60, "arXiv:1507.06228", statistic="not stated"),
        Claim.error(7.86, LOGS),
        classes=10,
    )


def cifar19_cifar100() -> Experiment:
    """The 19-layer highway net on CIFAR-100: 32.39 % mean test error in the paper."""
    source = "arXiv:1507.06228, as quoted by arXiv:1603.05027, table 4"
    return _cifar(
        "cifar19_cifar100",
        Claim.error(32.39, source, statistic="mean of several"),
        Claim.error(32.24, "arXiv:1507.06228", statistic="not stated"),
        Claim.error(31.91, LOGS),
        classes=100,
    )


def _mnist(name: str, width: int, *claims: Claim) -> Experiment:
    return Experiment(
        name=f"highway.{name}",
        net=HighwayConfig(layout="mnist10", width=width, weights="xavier"),
        data=MnistConfig(),
        normalize=Scale(factor=1 / 256),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-3, nesterov=True),
        schedule=StepsConfig(lr=0.01, at=(60_000, 120_000), factor=0.1, until=180_000),
        batch_size=100,
        claims=claims,
    )


def mnist10() -> Experiment:
    """The 10-layer highway net with 32 channels on MNIST: 0.45 % test error in the paper."""
    paper = Claim.error(0.45, "arXiv:1507.06228", statistic="not stated")
    return _mnist("mnist10", 32, paper, Claim.error(0.46, LOGS))


def mnist10_narrow() -> Experiment:
    """The 10-layer highway net with 16 channels on MNIST: 0.57 % test error in the paper."""
    paper = Claim.error(0.57, "arXiv:1507.06228", statistic="not stated")
    return _mnist("mnist10_narrow", 16, paper)
