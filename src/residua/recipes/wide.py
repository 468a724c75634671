"""CIFAR-10 and CIFAR-100 as in Zagoruyko and Komodakis 2016: wide nets of few layers.

200 epochs of batches of 128, rate 0.1 times 0.2 after 60, 120 and 160 epochs, Nesterov's momentum,
decay 5e-4 of everything; 4 reflected pixels around each picture, a random crop, mirrored half the
time; the mean and deviation of each channel. Dropout, where there is any, is 0.3. The paper prints
the median of 5 runs, but for the best ones, which are single. Its first version has whitened
pictures: those recipes are in `whitened`, and the units that are compared in `wide_units`.

Epochs are counted in updates to the nearest.

Source: Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, v4, and
the authors' szagoruyko/wide-residual-networks, scripts/train_cifar.sh and README.md.
"""

from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.normalize import ChannelStats, Whiten
from residua.experiment import Claim, Experiment
from residua.nets.wide import WideConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig, iterations

__all__ = [
    "wrn16_4",
    "wrn16_4_cifar100",
    "wrn16_4_dropout",
    "wrn16_4_dropout_cifar100",
    "wrn16_8",
    "wrn16_8_cifar100",
    "wrn28_10",
    "wrn28_10_cifar100",
    "wrn28_10_dropout",
    "wrn28_10_dropout_cifar100",
    "wrn40_4",
    "wrn40_4_cifar100",
    "wrn40_10_dropout",
    "wrn40_10_dropout_cifar100",
    "wrn52_1",
    "wrn52_1_cifar100",
    "wrn52_1_dropout",
    "wrn52_1_dropout_cifar100",
]

PICTURES, BATCH = 50_000, 128


def on_cifar(  # noqa: PLR0913 -- what the rows of the tables differ in
    name: str,
    depth: int,
    widen: int,
    error: float,
    *,
    dropout: float = 0.0,
    hundred: bool = False,
    whiten: bool = False,
    statistic: str = "median of 5",
) -> Experiment:
    """Train a wide net as the authors' script does; errors in percent."""
    falls = tuple(iterations(epochs, PICTURES, BATCH) for epochs in (60, 120, 160))
    version = "v1" if whiten else "v4"
    return Experiment(
        name=f"wide.{name}",
        net=WideConfig(
            depth=depth, widen=float(widen), dropout=dropout, num_classes=100 if hundred else 10
        ),
        data=Cifar100Config() if hundred else Cifar10Config(),
        augment=PadCropFlip(pad=4, fill="reflect"),
        normalize=Whiten() if whiten else ChannelStats(),
        optimizer=SgdConfig(momentum=0.9, weight_decay=5e-4, nesterov=True),
        schedule=StepsConfig(lr=0.1, at=falls, factor=0.2, until=iterations(200, PICTURES, BATCH)),
        batch_size=BATCH,
        claims=(Claim.error(error, f"arXiv:1605.07146{version}", statistic=statistic),),
    )


def wrn40_4() -> Experiment:
    """WRN-40-4 on CIFAR-10: 4.53 % test error in the paper."""
    return on_cifar("wrn40_4", 40, 4, 4.53)


def wrn40_4_cifar100() -> Experiment:
    """WRN-40-4 on CIFAR-100: 21.18 % test error in the paper."""
    return on_cifar("wrn40_4_cifar100", 40, 4, 21.18, hundred=True)


def wrn16_8() -> Experiment:
    """WRN-16-8 on CIFAR-10: 4.27 % test error in the paper."""
    return on_cifar("wrn16_8", 16, 8, 4.27)


def wrn16_8_cifar100() -> Experiment:
    """WRN-16-8 on CIFAR-100: 20.43 % test error in the paper."""
    return on_cifar("wrn16_8_cifar100", 16, 8, 20.43, hundred=True)


def wrn28_10() -> Experiment:
    """WRN-28-10 on CIFAR-10: 4 % test error in the paper."""
    return on_cifar("wrn28_10", 28, 10, 4.0)


def wrn28_10_cifar100() -> Experiment:
    """WRN-28-10 on CIFAR-100: 19.25 % test error in the paper."""
    return on_cifar("wrn28_10_cifar100", 28, 10, 19.25, hundred=True)


def wrn16_4() -> Experiment:
    """WRN-16-4 on CIFAR-10: 5.02 % test error in the paper."""
    return on_cifar("wrn16_4", 16, 4, 5.02)


def wrn16_4_cifar100() -> Experiment:
    """WRN-16-4 on CIFAR-100: 24.03 % test error in the paper."""
    return on_cifar("wrn16_4_cifar100", 16, 4, 24.03, hundred=True)


def wrn52_1() -> Experiment:
    """WRN-52-1 on CIFAR-10: 6.43 % test error in the paper."""
    return on_cifar("wrn52_1", 52, 1, 6.43)


def wrn52_1_cifar100() -> Experiment:
    """WRN-52-1 on CIFAR-100: 29.89 % test error in the paper."""
    return on_cifar("wrn52_1_cifar100", 52, 1, 29.89, hundred=True)


def wrn28_10_dropout() -> Experiment:
    """WRN-28-10 with dropout on CIFAR-10: 3.89 % test error in the paper."""
    return on_cifar("wrn28_10_dropout", 28, 10, 3.89, dropout=0.3)


def wrn28_10_dropout_cifar100() -> Experiment:
    """WRN-28-10 with dropout on CIFAR-100: 18.85 % test error in the paper."""
    return on_cifar("wrn28_10_dropout_cifar100", 28, 10, 18.85, dropout=0.3, hundred=True)


def wrn16_4_dropout() -> Experiment:
    """WRN-16-4 with dropout on CIFAR-10: 5.24 % test error in the paper."""
    return on_cifar("wrn16_4_dropout", 16, 4, 5.24, dropout=0.3)


def wrn16_4_dropout_cifar100() -> Experiment:
    """WRN-16-4 with dropout on CIFAR-100: 23.91 % test error in the paper."""
    return on_cifar("wrn16_4_dropout_cifar100", 16, 4, 23.91, dropout=0.3, hundred=True)


def wrn52_1_dropout() -> Experiment:
    """WRN-52-1 with dropout on CIFAR-10: 6.28 % test error in the paper."""
    return on_cifar("wrn52_1_dropout", 52, 1, 6.28, dropout=0.3)


def wrn52_1_dropout_cifar100() -> Experiment:
    """WRN-52-1 with dropout on CIFAR-100: 29.78 % test error in the paper."""
    return on_cifar("wrn52_1_dropout_cifar100", 52, 1, 29.78, dropout=0.3, hundred=True)


def wrn40_10_dropout() -> Experiment:
    """WRN-40-10 with dropout on CIFAR-10: 3.8 % test error in the paper."""
    return on_cifar("wrn40_10_dropout", 40, 10, 3.8, dropout=0.3, statistic="single run")


def wrn40_10_dropout_cifar100() -> Experiment:
    """WRN-40-10 with dropout on CIFAR-100: 18.3 % test error in the paper."""
    return on_cifar(
        "wrn40_10_dropout_cifar100", 40, 10, 18.3, dropout=0.3, hundred=True, statistic="single run"
    )
