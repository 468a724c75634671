"""CIFAR-10 and CIFAR-100, whitened, as in the first version of Zagoruyko and Komodakis 2016.

Wide nets of several widths and depths; all but the pictures is as in `wide`. The paper prints the
median of 5 runs.

Source: Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146, v1.
"""

from dataclasses import replace

from residua.experiment import Experiment
from residua.recipes.wide import on_cifar

__all__ = [
    "wrn16_8",
    "wrn16_8_cifar100",
    "wrn16_10",
    "wrn16_10_cifar100",
    "wrn22_8",
    "wrn22_8_cifar100",
    "wrn22_10",
    "wrn22_10_cifar100",
    "wrn28_10",
    "wrn28_10_cifar100",
    "wrn28_10_dropout",
    "wrn28_10_dropout_cifar100",
    "wrn28_12",
    "wrn28_12_cifar100",
    "wrn40_1",
    "wrn40_1_cifar100",
    "wrn40_2",
    "wrn40_2_cifar100",
    "wrn40_4",
    "wrn40_4_cifar100",
    "wrn40_8",
]


def _whitened(
    name: str,
    depth: int,
    widen: int,
    error: float,
    *,
    dropout: float = 0.0,
    hundred: bool = False,
) -> Experiment:
    made = on_cifar(
        name,
        depth,
        widen,
        error,
        dropout=dropout,
        hundred=hundred,
        whiten=True,
    )
    return replace(made, name=f"whitened.{name}")


def wrn16_8() -> Experiment:
    """WRN-16-8 on whitened CIFAR-10: 4.81 % test error in the paper."""
    return _whitened("wrn16_8", 16, 8, 4.81)


def wrn16_8_cifar100() -> Experiment:
    """WRN-16-8 on whitened CIFAR-100: 22.07 % test error in the paper."""
    return _whitened("wrn16_8_cifar100", 16, 8, 22.07, hundred=True)


def wrn16_10() -> Experiment:
    """WRN-16-10 on whitened CIFAR-10: 4.56 % test error in the paper."""
    return _whitened("wrn16_10", 16, 10, 4.56)


def wrn16_10_cifar100() -> Experiment:
    """WRN-16-10 on whitened CIFAR-100: 21.59 % test error in the paper."""
    return _whitened("wrn16_10_cifar100", 16, 10, 21.59, hundred=True)


def wrn22_8() -> Experiment:
    """WRN-22-8 on whitened CIFAR-10: 4.38 % test error in the paper."""
    return _whitened("wrn22_8", 22, 8, 4.38)


def wrn22_8_cifar100() -> Experiment:
    """WRN-22-8 on whitened CIFAR-100: 21.22 % test error in the paper."""
    return _whitened("wrn22_8_cifar100", 22, 8, 21.22, hundred=True)


def wrn22_10() -> Experiment:
    """WRN-22-10 on whitened CIFAR-10: 4.44 % test error in the paper."""
    return _whitened("wrn22_10", 22, 10, 4.44)


def wrn22_10_cifar100() -> Experiment:
    """WRN-22-10 on whitened CIFAR-100: 20.75 % test error in the paper."""
    return _whitened("wrn22_10_cifar100", 22, 10, 20.75, hundred=True)


def wrn28_10() -> Experiment:
    """WRN-28-10 on whitened CIFAR-10: 4.17 % test error in the paper."""
    return _whitened("wrn28_10", 28, 10, 4.17)


def wrn28_10_cifar100() -> Experiment:
    """WRN-28-10 on whitened CIFAR-100: 20.5 % test error in the paper."""
    return _whitened("wrn28_10_cifar100", 28, 10, 20.5, hundred=True)


def wrn28_12() -> Experiment:
    """WRN-28-12 on whitened CIFAR-10: 4.33 % test error in the paper."""
    return _whitened("wrn28_12", 28, 12, 4.33)


def wrn28_12_cifar100() -> Experiment:
    """WRN-28-12 on whitened CIFAR-100: 20.43 % test error in the paper."""
    return _whitened("wrn28_12_cifar100", 28, 12, 20.43, hundred=True)


def wrn40_1() -> Experiment:
    """WRN-40-1 on whitened CIFAR-10: 6.85 % test error in the paper."""
    return _whitened("wrn40_1", 40, 1, 6.85)


def wrn40_1_cifar100() -> Experiment:
    """WRN-40-1 on whitened CIFAR-100: 30.89 % test error in the paper."""
    return _whitened("wrn40_1_cifar100", 40, 1, 30.89, hundred=True)


def wrn40_2() -> Experiment:
    """WRN-40-2 on whitened CIFAR-10: 5.33 % test error in the paper."""
    return _whitened("wrn40_2", 40, 2, 5.33)


def wrn40_2_cifar100() -> Experiment:
    """WRN-40-2 on whitened CIFAR-100: 26.04 % test error in the paper."""
    return _whitened("wrn40_2_cifar100", 40, 2, 26.04, hundred=True)


def wrn40_4() -> Experiment:
    """WRN-40-4 on whitened CIFAR-10: 4.97 % test error in the paper."""
    return _whitened("wrn40_4", 40, 4, 4.97)


def wrn40_4_cifar100() -> Experiment:
    """WRN-40-4 on whitened CIFAR-100: 22.89 % test error in the paper."""
    return _whitened("wrn40_4_cifar100", 40, 4, 22.89, hundred=True)


def wrn40_8() -> Experiment:
    """WRN-40-8 on whitened CIFAR-10: 4.66 % test error in the paper."""
    return _whitened("wrn40_8", 40, 8, 4.66)


def wrn28_10_dropout() -> Experiment:
    """WRN-28-10 with dropout on whitened CIFAR-10: 4.39 % test error in the paper."""
    return _whitened("wrn28_10_dropout", 28, 10, 4.39, dropout=0.3)


def wrn28_10_dropout_cifar100() -> Experiment:
    """WRN-28-10 with dropout on whitened CIFAR-100: 20 % test error in the paper."""
    return _whitened("wrn28_10_dropout_cifar100", 28, 10, 20.0, hundred=True, dropout=0.3)
