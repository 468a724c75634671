"""Made scenes to find objects in: real handwritten digits on cluttered grounds, by seed.

What is learned from, chosen with and tested on are different scenes of different digits: the parts
of the 1,797 real ones are those of `residua.data.sets`. Nothing is fetched, and nothing but
integers is computed, so the same settings give the same bytes on every machine.
"""

from functools import lru_cache
from typing import Literal

from residua.config import settings
from residua.data.annotated import AnnotatedImages
from residua.data.loading import Pictures
from residua.data.objects import AnnotatedSplits
from residua.data.scene_painter import Plan, paint
from residua.data.sets import DigitsConfig
from residua.errors import ConfigError

DIGITS = tuple(str(digit) for digit in range(10))


@settings
class ScenesConfig:
    """Handwritten digits of many sizes on cluttered grounds, each to be found and named.

    Attributes:
        train: scenes to learn from.
        validation: scenes to choose with; 0 for none.
        test: scenes to test on.
        height: of a scene, in pixels.
        width: likewise.
        digits: the fewest and the most in a scene; where they find no place, fewer.
        sides: the smallest and the largest height of a digit, in pixels.
        clutter: the fewest and the most strokes, quarters of digits and specks in a scene.
        seed: of the scenes; that of a run does not change them.
    """

    kind: Literal["scenes"] = "scenes"
    train: int = 800
    validation: int = 100
    test: int = 200
    height: int = 160
    width: int = 192
    digits: tuple[int, int] = (1, 6)
    sides: tuple[int, int] = (20, 64)
    clutter: tuple[int, int] = (2, 6)
    seed: int = 0

    def load(self) -> AnnotatedSplits:
        """Draw the scenes.

        Raises:
            ConfigError: a number is out of range, or the largest digit does not fit.
        """
        _check(self)
        return _scenes(self)


def _check(config: ScenesConfig) -> None:
    if config.train < 1 or config.validation < 0 or config.test < 1:
        raise ConfigError(
            "data.train and data.test must be at least 1 and data.validation at least 0, got "
            f"{config.train}, {config.test} and {config.validation}"
        )
    for name, least in (("digits", 1), ("sides", 8), ("clutter", 0)):
        low, high = getattr(config, name)
        if not least <= low <= high:
            raise ConfigError(
                f"data.{name} must be two numbers from {least} on, the smaller first, got "
                f"{low} and {high}"
            )
    if config.sides[1] > min(config.height, config.width):
        raise ConfigError(
            f"data.sides allows digits of {config.sides[1]} pixels, but a scene has "
            f"{config.height}x{config.width}"
        )


@lru_cache(maxsize=2)
def _scenes(config: ScenesConfig) -> AnnotatedSplits:
    digits = DigitsConfig().load()
    chosen_with = digits.validation or digits.train
    return AnnotatedSplits(
        _part(config, "train", digits.train, config.train),
        _part(config, "validation", chosen_with, config.validation) if config.validation else None,
        _part(config, "test", digits.test, config.test),
    )


def _part(config: ScenesConfig, part: str, digits: Pictures, count: int) -> AnnotatedImages:
    plan = Plan(
        size=(config.height, config.width),
        digits=config.digits,
        sides=config.sides,
        clutter=config.clutter,
        seed=config.seed,
        part=part,
    )
    scenes, found = paint(plan, digits, count)
    names = tuple(f"{part}_{index:05d}" for index in range(count))
    return AnnotatedImages(list(scenes), found, DIGITS, names)
