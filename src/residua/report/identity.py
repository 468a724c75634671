"""The page about blocks that fit the identity and functions close to it."""

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from residua import files, plots
from residua.errors import RunError
from residua.report import page

Kind = Literal["plain", "residual"]
Target = Literal["x", "x + small"]
KINDS: tuple[Kind, ...] = ("plain", "residual")
TARGETS: tuple[Target, ...] = ("x", "x + small")

# A loss at which a block is said to have learned the target, if it is a tenth of the small map's
# mean square or less.
SHARE = 0.1
# Losses below this are all as good as zero.
ROUNDING = 1e-12
# Blocks whose courses are drawn, at most.
COURSES = 4


@dataclass(frozen=True, kw_only=True)
class Fit:
    """How one block learned one target, with the best of the rates.

    Args:
        target: "x" or "x + small".
        kind: "plain" or "residual".
        layers: of the block.
        rate: of the training.
        iterations: at which the course is known.
        losses: of every seed, means since the iteration before; infinite where it diverged.
    """

    target: Target
    kind: Kind
    layers: int
    rate: float
    iterations: tuple[int, ...]
    losses: tuple[tuple[float, ...], ...]

    @property
    def ends(self) -> list[float]:
        """The last loss of every seed."""
        return [course[-1] for course in self.losses]

    @property
    def end(self) -> float:
        """Median of the last losses."""
        return statistics.median(self.ends)

    def reaches(self, loss: float) -> float:
        """Return the iterations to a loss, median of the seeds; infinite if most never come so far.

        An iteration is one of the course, so this is exact to the distance of its points.
        """
        firsts = [
            next((at for at, x in zip(self.iterations, course, strict=True) if x <= loss), math.inf)
            for course in self.losses
        ]
        return statistics.median_high(firsts)


@dataclass(frozen=True, kw_only=True)
class IdentityStudy:
    """What came of all blocks.

    Args:
        fits: one for each kind, depth and target.
        small: size of the small map.
        seeds: trainings of each block.
        settings: what was trained on what and how, in words.
        seconds: that it took.
    """

    fits: tuple[Fit, ...]
    small: float
    seeds: int
    settings: Mapping[str, str]
    seconds: float

    @property
    def layers(self) -> list[int]:
        """Depths of the blocks."""
        return sorted({fit.layers for fit in self.fits})

    @property
    def level(self) -> float:
        """The loss at which a target is said to be learned."""
        return SHARE * self.small**2

    def of(self, kind: Kind, target: Target) -> list[Fit]:
        """Return the fits of one kind and target, shallow blocks first."""
        found = [fit for fit in self.fits if (fit.kind, fit.target) == (kind, target)]
        return sorted(found, key=lambda fit: fit.layers)


def write_identity(
    folder: Path, study: IdentityStudy, *, environment: Mapping[str, object], command: str
) -> Path:
    """Draw a study, and write the page about it.

    Args:
        folder: gets `report.html`, `identity.json`, `figure.svg` and `figure.png`.
        study: what was found.
        environment: of the measurement.
        command: that repeats it.

    Returns:
        The page.

    Raises:
        RunError: there is no block, or the files cannot be written.
    """
    if not study.fits:
        raise RunError(f"{folder}: a study of the identity needs at least one block, got none")
    courses, note = _courses(study), _note(study)
    picture, pixels = plots.fits_for_slides(courses, note=note)
    files.write(folder / "figure.svg", picture)
    files.write(folder / "figure.png", pixels)
    about = {"study": "identity", "finding": finding(study), "command": command}
    record = about | {"environment": dict(environment), **_finite(asdict(study))}
    files.write(folder / "identity.json", json.dumps(record, indent=1) + "\n")
    values = {
        "finding": finding(study),
        "sentences": sentences(study),
        "study": study,
        "targets": _targets(study),
        "rows": [
            (target, layers, [_at(study, kind, target, layers) for kind in KINDS])
            for target in TARGETS
            for layers in study.layers
        ],
        "names": _targets(study),
        "figure": plots.fits(courses, note=note),
        "narrow": plots.fits(courses, note=note, narrow=True),
        "depths": plots.fit_depths(_depths(study), note=note),
        "number": number,
        "count": count,
        "start": {"environment": environment},
        "command": command,
    }
    return page.write(folder, "identity.html", values)


def finding(study: IdentityStudy) -> str:
    """Say in one line how the deepest blocks of both kinds end on the near-identity."""
    plain, residual = (study.of(kind, "x + small")[-1] for kind in KINDS)
    return (
        f"y = x + {study.small:g} g(x) with {plain.layers} "
        f"layer{'' if plain.layers == 1 else 's'}: a loss of {number(plain.end)} without the "
        f"shortcut, {number(residual.end)} with it"
    )


def sentences(study: IdentityStudy) -> list[str]:
    """Say of each target at which depths which kind is ahead, and what of it is learned."""
    return [*(_sentence(study, target) for target in TARGETS), _beyond(study)]


def _beyond(study: IdentityStudy) -> str:
    """Say how many residual blocks have learned more than the identity that they are given."""
    residual = study.of("residual", "x + small")
    identity = study.small**2
    more = [fit for fit in residual if fit.end <= identity / 2]
    return (
        f"A loss of {number(identity)} is that of answering x itself, which a residual block has "
        f"once F is zero: {len(more)} of {len(residual)} residual blocks come below half of it, "
        "and so have learned much of the small map too; the others have little more than the "
        "identity."
    )


def _sentence(study: IdentityStudy, target: Target) -> str:
    pairs = list(zip(*(study.of(kind, target) for kind in KINDS), strict=True))
    harder = [plain.layers for plain, residual in pairs if _above(plain, residual)]
    easier = [plain.layers for plain, residual in pairs if _above(residual, plain)]
    parts = [
        f"{_targets(study)[target]}: with every seed the plain block ends with the higher loss at "
        f"{_depths_in_words(harder)}"
    ]
    if easier:
        parts.append(f"with the lower one at {_depths_in_words(easier)}")
    learned = [
        f"{sum(fit.end <= study.level for fit in fits)} of {len(fits)} {fits[0].kind} ones"
        for fits in zip(*pairs, strict=True)
    ]
    return (
        f"{', '.join(parts)}. {' and '.join(learned)} come below {number(study.level)}, a tenth of "
        "what the small map alone amounts to."
    )


def _above(one: Fit, other: Fit) -> bool:
    """Tell whether a block ends with the higher loss whatever the seeds, rounding apart."""
    return max(min(one.ends), ROUNDING) > max(*other.ends, ROUNDING)


def _depths_in_words(depths: Sequence[int]) -> str:
    if not depths:
        return "no depth"
    return f"{', '.join(map(str, depths))} layer{'' if depths == [1] else 's'}"


def number(loss: float) -> str:
    """Write a loss with two digits."""
    if math.isinf(loss):
        return "diverged"
    mantissa, _, exponent = f"{loss:.1e}".partition("e")
    if -2 <= int(exponent) <= 2:
        return f"{loss:.2g}"
    return f"{mantissa}·10{str(int(exponent)).translate(page.RAISED)}"


def count(iterations: float) -> str:
    """Write a number of iterations."""
    return "never" if math.isinf(iterations) else f"{iterations:,.0f}"


def _finite(value: Any) -> Any:
    """Put null, which JSON knows, in the place of what is infinite."""
    match value:
        case dict():
            return {name: _finite(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_finite(inner) for inner in value]
        case float() if math.isinf(value):
            return None
        case _:
            return value


def _targets(study: IdentityStudy) -> dict[Target, str]:
    return {"x": "y = x", "x + small": f"y = x + {study.small:g} g(x)"}


def _at(study: IdentityStudy, kind: Kind, target: Target, layers: int) -> Fit:
    return next(fit for fit in study.of(kind, target) if fit.layers == layers)


def _courses(study: IdentityStudy) -> plots.FitPanels:
    some = study.layers
    if len(some) > COURSES:
        some = [depth for depth in (1, 2, 4, 8) if depth in some] or some[:COURSES]
    return {
        (words, kind): [_course(_at(study, kind, target, layers)) for layers in some]
        for target, words in _targets(study).items()
        for kind in KINDS
    }


def _course(fit: Fit) -> plots.FitCourse:
    together = list(zip(*fit.losses, strict=True))
    return plots.FitCourse(
        name=f"{fit.layers} layer{'' if fit.layers == 1 else 's'}",
        iterations=fit.iterations,
        middle=[statistics.median(at) for at in together],
        low=[min(at) for at in together],
        high=[max(at) for at in together],
    )


def _depths(study: IdentityStudy) -> plots.FitDepths:
    return {
        words: {kind: {fit.layers: fit.ends for fit in study.of(kind, target)} for kind in KINDS}
        for target, words in _targets(study).items()
    }


def _note(study: IdentityStudy) -> str:
    return (
        f"lines: medians of n = {study.seeds} seeds, bands: smallest to largest; best of the rates"
    )
