"""SVHN as in Zagoruyko and Komodakis 2016: wide nets on 604,388 house numbers.

160 epochs of batches of 128, rate 0.01 divided by 10 after 80 and 120 epochs, Nesterov's momentum,
decay 5e-4; no augmentation, pixels divided by 255. Dropout, where there is any, is 0.4.

Source: Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146v4, and the authors'
szagoruyko/wide-residual-networks, scripts/train_svhn.sh.
"""

from residua.data.normalize import Scale
from residua.data.svhn import SvhnConfig
from residua.experiment import Claim, Experiment
from residua.nets.wide import WideConfig
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig, iterations

__all__ = [
    "wrn16_4",
    "wrn16_4_dropout",
    "wrn16_8",
    "wrn16_8_dropout",
    "wrn52_1",
    "wrn52_1_dropout",
]

# To learn from: 73,257 and 531,131 easier ones.
PICTURES, BATCH = 604_388, 128


def _svhn(
    name: str,
    depth: int,
    widen: int,
    error: float,
    *,
    dropout: float = 0.0,
    statistic: str = "median of 5",
) -> Experiment:
    falls = tuple(iterations(epochs, PICTURES, BATCH) for epochs in (80, 120))
    return Experiment(
        name=f"svhn.{name}",
        net=WideConfig(depth=depth, widen=float(widen), dropout=dropout),
        data=SvhnConfig(extra=True),
        normalize=Scale(factor=1 / 255),
        optimizer=SgdConfig(momentum=0.9, weight_decay=5e-4, nesterov=True),
        schedule=StepsConfig(lr=0.01, at=falls, factor=0.1, until=iterations(160, PICTURES, BATCH)),
        batch_size=BATCH,
        claims=(Claim.error(error, "arXiv:1605.07146v4", statistic=statistic),),
    )


def wrn16_4() -> Experiment:
    """WRN-16-4 on SVHN: 1.85 % test error in the paper."""
    return _svhn("wrn16_4", 16, 4, 1.85)


def wrn16_4_dropout() -> Experiment:
    """WRN-16-4 with dropout on SVHN: 1.64 % test error in the paper."""
    return _svhn("wrn16_4_dropout", 16, 4, 1.64, dropout=0.4)


def wrn52_1() -> Experiment:
    """WRN-52-1 on SVHN: 2.08 % test error in the paper."""
    return _svhn("wrn52_1", 52, 1, 2.08)


def wrn52_1_dropout() -> Experiment:
    """WRN-52-1 with dropout on SVHN: 1.7 % test error in the paper."""
    return _svhn("wrn52_1_dropout", 52, 1, 1.7, dropout=0.4)


def wrn16_8() -> Experiment:
    """WRN-16-8 on SVHN: 1.81 % test error in the paper."""
    return _svhn("wrn16_8", 16, 8, 1.81, statistic="single run")


def wrn16_8_dropout() -> Experiment:
    """WRN-16-8 with dropout on SVHN: 1.54 % test error in the paper."""
    return _svhn("wrn16_8_dropout", 16, 8, 1.54, dropout=0.4, statistic="single run")
