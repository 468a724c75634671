"""The degradation experiment: deeper plain networks train worse, deeper residual networks do not.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, figures 1, 6 and 7.
    [P] He et al., Identity Mappings, arXiv:1603.05027: pre-activation, and gates as in highway
        networks.
    [T] Srivastava et al., Training Very Deep Networks, arXiv:1507.06228, and the authors' files.
"""

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from residua import outcome, recipes, report
from residua.errors import ConfigError, RunError
from residua.experiment import Experiment
from residua.lab.equal import equal_widths
from residua.lab.ground import Ground, Length, ground, lasting
from residua.lab.layers import layers_of
from residua.lab.sweep import Manner, begun, carry_out, opened, results
from residua.train.schedule import CosineConfig

Family = Literal["plain", "resnet", "preresnet", "highway"]
FAMILIES: tuple[Family, ...] = ("plain", "resnet")
# 42 epochs, of 8 updates each.
SCHEDULE = CosineConfig(lr=0.1, until=336, warmup=40)
USUAL = Length(updates=SCHEDULE.until, why=f"{SCHEDULE.until} updates each, as usual")

# Of the gates at first, as in the authors' CIFAR net; a unit carries most of its input then.
HIGHWAY_BIAS = -2.0
SETTINGS: dict[Family, dict[str, Any]] = {
    "plain": {"shortcut": "none"},
    "resnet": {"shortcut": "A"},
    "preresnet": {"shortcut": "A", "order": "full_preact"},
    "highway": {"shortcut": "exclusive_gating", "gate_bias": HIGHWAY_BIAS},
}
# Of the nets of the blog post on MNIST, whose layers are counted otherwise.
POST_DEPTHS = (34, 100)
SHALLOW = (20, 56)


def experiments(
    depths: Iterable[int],
    seeds: Iterable[int],
    *,
    on: Ground | None = None,
    families: Sequence[Family] = FAMILIES,
    updates: int = USUAL.updates,
) -> list[Experiment]:
    """List what is trained: all families at every depth, with the same data and schedule.

    Args:
        depths: weighted layers, each 6n+2.
        seeds: of each network.
        on: what is learned from; the digits by default.
        families: "plain", "resnet", "preresnet", "highway".
        updates: of each training.

    Raises:
        ConfigError: there is no net of such a depth.
    """
    where, numbers = on or ground("digits"), list(seeds)
    usual = where.name == "digits" and updates == SCHEDULE.until
    schedule = SCHEDULE if usual else where.experiment.schedule
    return [
        dataclasses.replace(lasting(_net(where, family, depth), schedule, updates), seed=seed)
        for depth in sorted(set(depths))
        for family in families
        for seed in numbers
    ]


def as_published(
    depths: Iterable[int],
    seeds: Sequence[int],
    *,
    data: str,
    families: Sequence[Family] = FAMILIES,
) -> list[Experiment]:
    """List what is trained by whole recipes: on MNIST the nets of the blog post.

    On CIFAR-10 the residual net of 110 layers begins with a low rate, as in [R].

    Raises:
        ConfigError: a depth or a family is in no recipe there.
    """
    on = ground(data, whole=True)
    return [
        dataclasses.replace(_published(on, data, family, depth), seed=seed)
        for depth in sorted(set(depths))
        for family in families
        for seed in seeds
    ]


def degradation(
    plan: Sequence[Experiment],
    *,
    root: Path = Path("runs"),
    into: Path | None = None,
    manner: Manner | None = None,
    length: Length | None = None,
) -> tuple[Path, list[outcome.Result]]:
    """Train what the plan lists, and draw figure 1 of [R] with it.

    Args:
        plan: what `experiments` returned.
        root: the folder of all runs.
        into: the folder of the study; what has ended there is not trained again. By default a new
            one.
        manner: device, listener and pages, which change no number.
        length: of the trainings, for the page.

    Returns:
        The folder with `report.html`, `figure.svg` and `figure.png`, and one result per training
        that came to its end.
    """
    folder = opened(into, root, "degradation")
    try:
        folders = carry_out(plan, folder, manner)
    except RunError:
        so_far = begun(plan, folder)
        if so_far:
            report.write_degradation(folder, so_far, why=None if length is None else length.why)
        raise
    inside, note = layers_of(folders, device="auto" if manner is None else manner.device)
    why = None if length is None else length.why
    report.write_degradation(folder, folders, why=why, inside=inside, inside_note=note)
    return folder, results(folders)


def _net(on: Ground, family: Family, depth: int) -> Experiment:
    """Make the experiment of a net; the gates of a highway net take channels, not parameters."""
    if family not in SETTINGS:
        raise ConfigError(f"families are {', '.join(SETTINGS)}, got {family!r}")
    choices: dict[str, Any] = {"depth": depth, **SETTINGS[family]}
    experiment = on.with_net(f"{family}{depth}", **choices)
    if family != "highway":
        return experiment
    twin = dataclasses.replace(on.net, depth=depth, shortcut="A")
    return on.with_net(f"{family}{depth}", **choices, widths=equal_widths(on.net, twin, choices))


def _published(on: Ground, data: str, family: Family, depth: int) -> Experiment:
    """Make the experiment of a recipe; where there is none, with the schedule of the others."""
    called = "residual" if (data, family) == ("mnist", "resnet") else family
    name = f"{data.removesuffix('10')}.{called}{depth}"
    if name in recipes.names():
        return dataclasses.replace(recipes.find_classifier(name), claims=())
    if data == "mnist":
        raise ConfigError(
            f"{name} is no recipe: with --budget full the nets on MNIST are those of the blog "
            f"post, plain and resnet, of {' and '.join(map(str, POST_DEPTHS))} layers"
        )
    return _net(on, family, depth)
