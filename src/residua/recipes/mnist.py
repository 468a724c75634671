"""MNIST with 34 and 100 layers, as the blog post "Residual networks in Torch, MNIST" and its code.

30 epochs of batches of 128, pixels from 0 to 255 as they are, no augmentation, no weight decay, the
rate 0.1 / (1 + 5e-6 i) at update i. The code has two slips: it divides the gradient by the batch
size although the criterion has done so, which makes the rate 0.1 / 128, and misspells the momentum,
which turns it off. The recipes named for a net alone are what was run: as coded. Those that end in
`_meant` have the rate 0.1 and the momentum 0.9 that the options state; whether they converge on
pixels up to 255 is unmeasured.

The code shuffles nothing and ends every epoch with a short batch; here epochs are shuffled and
joined. The code has no plain net: the plain ones are twins of its residual nets. The post prints
99.49 for a plain net of 100 layers, but the README of the code 99.5 for the residual one, so the
claim stands there.

Source: arunpatala/residual.mnist, main.lua and train.lua; the post.
"""

from typing import Literal

from residua.data.mnist import MnistConfig
from residua.data.normalize import Scale
from residua.experiment import Claim, Experiment
from residua.nets import mnist
from residua.train.optimize import SgdConfig
from residua.train.schedule import InverseConfig, iterations

__all__ = [
    "plain34",
    "plain34_meant",
    "plain100",
    "plain100_meant",
    "residual34",
    "residual34_meant",
    "residual100",
    "residual100_meant",
]

POST = 'blog post "Residual networks in Torch, MNIST"'


def _mnist(
    name: str,
    depth: int,
    shortcut: Literal["projection", "none"],
    error: float | None = None,
    *,
    meant: bool = False,
) -> Experiment:
    claims = () if error is None else (Claim.error(error, POST, statistic="not stated"),)
    return Experiment(
        name=f"mnist.{name}",
        net=mnist.MnistConfig(depth=depth, shortcut=shortcut),
        data=MnistConfig(),
        normalize=Scale(factor=1.0),
        optimizer=SgdConfig(momentum=0.9 if meant else 0.0, weight_decay=0.0),
        schedule=InverseConfig(
            lr=0.1 if meant else 0.1 / 128, decay=5e-6, until=iterations(30, 60_000, 128)
        ),
        batch_size=128,
        claims=claims,
    )


def residual34() -> Experiment:
    """The residual net of 34 layers as coded: 99.23 % right in the post."""
    return _mnist("residual34", 34, "projection", 0.77)


def residual100() -> Experiment:
    """The residual net of 100 layers as coded: 99.49 % right in the post, which calls it plain."""
    return _mnist("residual100", 100, "projection", 0.51)


def plain34() -> Experiment:
    """The plain net of 34 layers, trained as coded: 99.16 % right in the post."""
    return _mnist("plain34", 34, "none", 0.84)


def plain100() -> Experiment:
    """The plain net of 100 layers, trained as coded."""
    return _mnist("plain100", 100, "none")


def residual34_meant() -> Experiment:
    """The residual net of 34 layers with the momentum and rate that the options state."""
    return _mnist("residual34_meant", 34, "projection", meant=True)


def residual100_meant() -> Experiment:
    """The residual net of 100 layers with the momentum and rate that the options state."""
    return _mnist("residual100_meant", 100, "projection", meant=True)


def plain34_meant() -> Experiment:
    """The plain net of 34 layers with the momentum and rate that the options state."""
    return _mnist("plain34_meant", 34, "none", meant=True)


def plain100_meant() -> Experiment:
    """The plain net of 100 layers with the momentum and rate that the options state."""
    return _mnist("plain100_meant", 100, "none", meant=True)
