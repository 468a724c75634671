"""What is optimized, and how.

Dimension key:
    N pictures to compare on   n to calibrate with   C channels   H, W height and width
"""

from dataclasses import dataclass

from torch import Tensor, nn

from residua.config import settings
from residua.data.fit import Fit
from residua.data.normalize import Normalize
from residua.deploy.accuracy import Sample
from residua.deploy.engines.candidate import CANDIDATES, Candidate
from residua.errors import ConfigError


@settings
class OptimizePlan:
    """How a net is optimized.

    Attributes:
        budget: points of error that an engine may cost.
        batch_sizes: numbers of pictures at a time that matter; what is fastest is the geometric
            mean over them.
        engines: to try.
        rounds: of the measurement.
        device: where it will compute: auto, cpu, cuda, cuda:1 or mps.
        alone: also start each engine in a process of its own, to measure its memory and to see that
            it works there.
    """

    budget: float = 0.5
    batch_sizes: tuple[int, ...] = (1, 32)
    engines: tuple[Candidate, ...] = CANDIDATES
    rounds: int = 10
    device: str = "auto"
    alone: bool = True

    def check(self) -> None:
        """Refuse what has no sense.

        Raises:
            ConfigError: a number that is too small, or nothing to try.
        """
        sizes = self.batch_sizes
        if not sizes or min(sizes) < 1 or len(set(sizes)) < len(sizes) or self.rounds < 1:
            raise ConfigError(
                "speed is measured with different numbers of at least 1 picture, in at least 1 "
                f"round, got {' and '.join(map(str, sizes)) or 'none'} in {self.rounds}"
            )
        if not 0 <= self.budget <= 100:
            raise ConfigError(f"the budget is points of error in [0, 100], got {self.budget:g}")
        if not self.engines:
            raise ConfigError("no engine is named to try")


@dataclass(frozen=True, kw_only=True)
class Task:
    """A net, and what its faster forms are held to.

    Shape:
        calibration: n, C, H, W, of the type of the sample's pixels.

    Args:
        net: from normalized pictures to logits; is not changed.
        normalize: from pixels in [0, 255] to its input.
        sample: pictures that engines are compared on; files will take pixels of their type.
        calibration: pictures for the ranges of int8.
        classes: names of the outputs.
        fit: which part of a picture is looked at; None where no files are read.
        run: its recipe and name; empty without one.
    """

    net: nn.Module
    normalize: Normalize
    sample: Sample
    calibration: Tensor
    classes: tuple[str, ...]
    fit: Fit | None = None
    run: str = ""

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W of a picture."""
        _, channels, height, width = self.sample.pixels.shape
        return channels, height, width
