"""CIFAR-10 as in Zagoruyko and Komodakis 2016: which convolutions a unit should have, and how many.

All nets have k = 2, and about as many parameters as one another. The paper prints the median of 5
runs. How the pictures are brought into range for these two tables is not in our sources: they are
whitened here, as in the first version of the paper. Where units of three convolutions stand beside
a depth of 40 or 22, the printed numbers of parameters are those of 6 and 3 units per group, which
are more layers than that.

Source: Zagoruyko and Komodakis, Wide Residual Networks, arXiv:1605.07146v4, sections 3 and 4.
"""

from dataclasses import replace

from residua.experiment import Experiment
from residua.nets.wide import WideConfig
from residua.recipes.wide import on_cifar

__all__ = ["b13", "b31", "b33", "b131", "b311", "b313", "l1", "l2", "l3", "l4"]


def _units(name: str, error: float, net: WideConfig) -> Experiment:
    made = on_cifar(name, 40, 2, error, whiten=True)
    (claim,) = made.claims
    claims = (replace(claim, source="arXiv:1605.07146v4"),)
    return replace(made, name=f"wide_units.{name}", net=net, claims=claims)


def b131() -> Experiment:
    """Units B(1,3,1), "depth 40": 6.06 % test error in the paper."""
    return _units("b131", 6.06, WideConfig(depth=40, widen=2.0, kernels=(1, 3, 1), units=6))


def b31() -> Experiment:
    """Units B(3,1), "depth 40": 5.78 % test error in the paper."""
    return _units("b31", 5.78, WideConfig(depth=40, widen=2.0, kernels=(3, 1)))


def b13() -> Experiment:
    """Units B(1,3), "depth 40": 6.42 % test error in the paper."""
    return _units("b13", 6.42, WideConfig(depth=40, widen=2.0, kernels=(1, 3)))


def b311() -> Experiment:
    """Units B(3,1,1), "depth 40": 5.86 % test error in the paper."""
    return _units("b311", 5.86, WideConfig(depth=40, widen=2.0, kernels=(3, 1, 1), units=6))


def b33() -> Experiment:
    """Units B(3,3), "depth 28": 5.73 % test error in the paper."""
    return _units("b33", 5.73, WideConfig(depth=28, widen=2.0, kernels=(3, 3)))


def b313() -> Experiment:
    """Units B(3,1,3), "depth 22": 5.78 % test error in the paper."""
    return _units("b313", 5.78, WideConfig(depth=22, widen=2.0, kernels=(3, 1, 3), units=3))


def l1() -> Experiment:
    """WRN-40-2 with units of one convolution: 6.69 % test error in the paper."""
    return _units("l1", 6.69, WideConfig(depth=40, widen=2.0, kernels=(3,)))


def l2() -> Experiment:
    """WRN-40-2 with units of two convolutions: 5.43 % test error in the paper."""
    return _units("l2", 5.43, WideConfig(depth=40, widen=2.0, kernels=(3, 3)))


def l3() -> Experiment:
    """WRN-40-2 with units of three convolutions: 5.65 % test error in the paper."""
    return _units("l3", 5.65, WideConfig(depth=40, widen=2.0, kernels=(3, 3, 3)))


def l4() -> Experiment:
    """WRN-40-2 with units of four convolutions: 5.93 % test error in the paper."""
    return _units("l4", 5.93, WideConfig(depth=40, widen=2.0, kernels=(3, 3, 3, 3)))
