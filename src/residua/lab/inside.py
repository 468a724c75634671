"""Looks inside trained networks: what `analyze` measures, in every run that is given.

Each function returns what it found in every run of each network, by the network's name.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from residua import runtime
from residua.analyze.closeness import Closeness, closeness
from residua.analyze.gradients import Gradients, gradients
from residua.analyze.lesion import Lesions, lesions
from residua.analyze.paths import Paths, paths
from residua.analyze.responses import Responses, responses
from residua.analyze.surface import Line, Plane, direction, line, plane, steps
from residua.errors import ConfigError
from residua.lab.opened import Opened, by_network, loss
from residua.nets.blocks_of import blocks_of

T = TypeVar("T")

# Lengths of paths that are looked at in deep nets.
MOST_LENGTHS = 28


def responses_of(opened: Sequence[Opened]) -> dict[str, list[Responses]]:
    """Measure the responses of layers."""
    return by_network(opened, _named(lambda run: responses(run.net, run.inputs)))


def closeness_of(opened: Sequence[Opened]) -> dict[str, list[tuple[Closeness, ...]]]:
    """Compare blocks with the identity, in the runs whose nets have residual ones."""
    return by_network(residual(opened), lambda run: closeness(run.net, run.inputs))


def gradients_of(opened: Sequence[Opened]) -> dict[str, list[Gradients]]:
    """Measure gradients by depth."""
    return by_network(opened, _named(lambda run: gradients(run.net, run.batches, loss)))


def paths_of(opened: Sequence[Opened], *, samples: int, seed: int) -> dict[str, list[Paths]]:
    """Measure gradients by the length of paths, in the runs whose nets have residual blocks.

    The first batch is used, and in deep nets not every length.
    """
    if samples < 1:
        raise ConfigError(f"paths must be at least 1 of each length, got {samples}")

    def look(run: Opened) -> Paths:
        blocks = len(blocks_of(run.net))
        stride = -(-(blocks + 1) // MOST_LENGTHS)
        return paths(
            run.net,
            run.batches[0],
            loss,
            samples=samples,
            generator=runtime.generator(seed, "paths"),
            lengths=range(0, blocks + 1, stride),
        )

    return by_network(residual(opened), look)


def lesions_of(
    opened: Sequence[Opened], *, most: int, samples: int, seed: int
) -> dict[str, list[Lesions]]:
    """Delete and reorder blocks.

    Raises:
        ConfigError: a net has no blocks.
    """
    if most < 1 or samples < 1:
        raise ConfigError(f"most and samples must be at least 1, got {most} and {samples}")

    def look(run: Opened) -> Lesions:
        random = runtime.generator(seed, "lesions")
        return lesions(run.net, run.error, most=most, samples=samples, generator=random)

    return by_network(opened, _named(look))


def lines_of(
    opened: Sequence[Opened], *, reach: float, points: int, directions: int, seed: int
) -> dict[str, list[list[Line]]]:
    """Measure the loss along random directions."""
    if directions < 1:
        raise ConfigError(f"directions must be at least 1, got {directions}")
    at = steps(reach, points)

    def look(run: Opened) -> list[Line]:
        drawn = [
            direction(run.net, runtime.generator(seed, "direction", number))
            for number in range(directions)
        ]
        return [line(run.net, run.batches, loss, along, at) for along in drawn]

    return by_network(opened, _named(look))


def planes_of(
    opened: Sequence[Opened], *, reach: float, points: int, seed: int
) -> dict[str, Plane]:
    """Measure the loss over the plane of the first two directions, of each network's first run."""
    first = {run.label: run for run in reversed(opened)}
    at = steps(reach, points)
    found: dict[str, Plane] = {}
    for label in dict.fromkeys(run.label for run in opened):
        run = first[label]
        one, other = (direction(run.net, runtime.generator(seed, "direction", n)) for n in (0, 1))
        found[label] = plane(run.net, run.batches, loss, (one, other), at)
    return found


def residual(opened: Sequence[Opened]) -> list[Opened]:
    """List the runs whose nets have residual blocks."""
    return [run for run in opened if blocks_of(run.net)]


def _named(look: Callable[[Opened], T]) -> Callable[[Opened], T]:
    """Let a net that cannot be looked at say of which run it is."""

    def named(run: Opened) -> T:
        try:
            return look(run)
        except ConfigError as error:
            raise ConfigError(f"{run.folder}: {error}") from None

    return named
