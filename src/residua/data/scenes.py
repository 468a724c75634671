"""Made scenes to find objects in: real handwritten digits on cluttered grounds, by seed.

What is learned from, chosen with and tested on are different scenes of different digits: the parts
of the 1,797 real ones are those of `residua.data.sets`. Nothing is fetched, and nothing but
integers is computed, so the same settings give the same bytes on every machine.

Dimension key:
    N scenes
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Literal, TypeVar

import torch

from residua.config import settings
from residua.data.annotated import AnnotatedImages
from residua.data.images import ImageSet
from residua.data.loading import Pictures, Splits
from residua.data.objects import AnnotatedSplits
from residua.data.scene_painter import Plan, paint
from residua.data.sets import DigitsConfig
from residua.errors import ConfigError

T = TypeVar("T")
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


@settings
class SceneCropsConfig:
    """The same digits on the same grounds, one in each picture: to train a trunk on first.

    An eleventh class, "background", has pictures of clutter alone.

    Attributes:
        train: pictures to learn from.
        validation: pictures to choose with; 0 for none.
        test: pictures to test on.
        size: height and width in pixels.
        sides: the smallest and the largest height of a digit, in pixels.
        clutter: the fewest and the most strokes, quarters of digits and specks in a picture.
        background: one in so many pictures has no digit; 0 for none, and no such class.
        seed: of the pictures; that of a run does not change them.
    """

    kind: Literal["scene_crops"] = "scene_crops"
    train: int = 6000
    validation: int = 500
    test: int = 1000
    size: int = 48
    sides: tuple[int, int] = (20, 46)
    clutter: tuple[int, int] = (0, 2)
    background: int = 11
    seed: int = 0

    def load(self) -> Splits:
        """Draw the pictures.

        Raises:
            ConfigError: a number is out of range, or the largest digit does not fit.
        """
        scenes = ScenesConfig(
            train=self.train,
            validation=self.validation,
            test=self.test,
            height=self.size,
            width=self.size,
            digits=(1, 1),
            sides=self.sides,
            clutter=self.clutter,
            seed=self.seed,
        )
        _check(scenes)
        if self.background < 0 or self.background == 1:
            raise ConfigError(
                f"data.background must be 0 (none) or at least 2, got {self.background}"
            )
        return _crops(scenes, self.background)


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
    train, validation, test = _each_part(config, _annotated)
    assert train is not None
    assert test is not None
    return AnnotatedSplits(train, validation, test)


@lru_cache(maxsize=2)
def _crops(config: ScenesConfig, background: int) -> Splits:
    def crops(config: ScenesConfig, part: str, digits: Pictures, count: int) -> ImageSet:
        return _labelled(config, part, digits, count, background)

    train, validation, test = _each_part(config, crops)
    assert train is not None
    assert test is not None
    return Splits(train, validation, test)


def _each_part(
    config: ScenesConfig, make: Callable[[ScenesConfig, str, Pictures, int], T]
) -> tuple[T | None, T | None, T | None]:
    digits = DigitsConfig().load()
    wanted = (
        ("train", digits.train, config.train),
        ("validation", digits.validation or digits.train, config.validation),
        ("test", digits.test, config.test),
    )
    train, validation, test = (
        make(config, part, held, count) if count else None for part, held, count in wanted
    )
    return train, validation, test


def _annotated(config: ScenesConfig, part: str, digits: Pictures, count: int) -> AnnotatedImages:
    scenes, found = paint(_plan(config, part), digits, count)
    return AnnotatedImages(
        list(scenes),
        found,
        DIGITS,
        tuple(f"{part}_{index:05d}" for index in range(count)),
    )


def _labelled(
    config: ScenesConfig, part: str, digits: Pictures, count: int, background: int
) -> ImageSet:
    scenes, found = paint(_plan(config, part, background), digits, count)
    labels = torch.full((count,), len(DIGITS))
    labels[found.picture_of()] = found.held.labels_R - 1
    return ImageSet(scenes, labels, (*DIGITS, "background") if background else DIGITS)


def _plan(config: ScenesConfig, part: str, empty_every: int = 0) -> Plan:
    return Plan(
        size=(config.height, config.width),
        digits=config.digits,
        sides=config.sides,
        clutter=config.clutter,
        empty_every=empty_every,
        seed=config.seed,
        part=part,
    )
