"""Drawing scenes: where digits and clutter go, and how they are laid on the ground.

Dimension key:
    N scenes drawn together   S places for digits in one   T tries to find a place
    P patterns   F of a frame that holds one   H, W of a scene
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor

from residua.data.annotated import ObjectTable
from residua.data.clutter import Array, distractors, enlarge, extent, grounds, integers, lay
from residua.data.loading import Pictures
from residua.data.objects import Objects
from residua.runtime import generator

# Scenes that are drawn together; the first of many are those of few.
TOGETHER = 50
TRIES = 8
# Part of the smaller of two digits that the other may cover, in percent.
COVERED = 12
# Width of a digit's square as a part of its height, in percent.
SLENDER = (75, 101)
SMALLEST_CLUTTER = 10
INK, CLUTTER_INK, INK_TINT = (150, 256), (110, 256), 30


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What scenes shall look like.

    Args:
        size: height and width in pixels.
        digits: the fewest and the most in a scene.
        sides: the smallest and the largest height of a digit, in pixels.
        clutter: the fewest and the most patterns that are no digits.
        seed: of all scenes.
        part: of the set; other parts have other scenes.
    """

    size: tuple[int, int]
    digits: tuple[int, int]
    sides: tuple[int, int]
    clutter: tuple[int, int]
    seed: int
    part: str


def paint(plan: Plan, digits: Pictures, count: int) -> tuple[Tensor, ObjectTable]:
    """Draw scenes.

    Args:
        plan: what they look like.
        digits: 8x8 pictures to draw from, and their labels from 0.
        count: of the scenes.

    Returns:
        count, 3, H, W of uint8, and the digits in each with labels from 1.
    """
    patterns = digits.sample()[:, 0].numpy()
    labels = digits.labels.numpy()
    scenes, boxes, named, counts = list[Array](), list[Array](), list[Array](), list[Array]()
    for first in range(0, count, TOGETHER):
        random = generator(plan.seed, "scenes", plan.part, first)
        canvas = grounds(TOGETHER, plan.size, random)
        _scatter(canvas, plan, patterns, random)
        drawn = _drawn(plan, patterns, random)
        kept_NS = drawn.placed_NS[: count - first]
        _lay_all(canvas, drawn)
        scenes.append(canvas[: len(kept_NS)].astype(np.uint8))
        boxes.append(drawn.boxes_NS4[: len(kept_NS)][kept_NS])
        named.append(labels[drawn.which_NS[: len(kept_NS)][kept_NS]] + 1)
        counts.append(kept_NS.sum(axis=1))
    held = Objects.of(
        torch.from_numpy(np.concatenate(boxes)), torch.from_numpy(np.concatenate(named))
    )
    starts = torch.from_numpy(np.concatenate([np.zeros(1, dtype=np.int64), *counts])).cumsum(0)
    return torch.from_numpy(np.concatenate(scenes)), ObjectTable(held, starts)


@dataclass(frozen=True)
class _Drawn:
    """Digits enlarged, where they go, and which of them found a place."""

    which_NS: Array
    ink_NSFF: Array
    corner_NS2: Array
    boxes_NS4: Array
    placed_NS: Array
    colour_NS3: Array


def _drawn(plan: Plan, patterns: Array, random: Generator) -> _Drawn:
    low, most = plan.digits
    which_NS = integers(random, 0, len(patterns), TOGETHER, most)
    height_NS = integers(random, plan.sides[0], plan.sides[1] + 1, TOGETHER, most)
    width_NS = height_NS * integers(random, *SLENDER, TOGETHER, most) // 100
    sizes_P2 = np.stack([height_NS, width_NS], -1).reshape(-1, 2)
    frame = (plan.sides[1], plan.sides[1])
    ink_NSFF = enlarge(patterns[which_NS.flatten()], sizes_P2, frame)
    inner_NS4 = extent(ink_NSFF).reshape(TOGETHER, most, 4)
    ink_NSFF = ink_NSFF.reshape(TOGETHER, most, *frame)
    wanted_N = integers(random, low, most + 1, TOGETHER)
    corner_NST2 = _corners(plan.size, height_NS, width_NS, random)
    corner_NS2, placed_NS = _placed(inner_NS4, corner_NST2, wanted_N)
    return _Drawn(
        which_NS=which_NS,
        ink_NSFF=ink_NSFF,
        corner_NS2=corner_NS2,
        boxes_NS4=inner_NS4 + np.tile(corner_NS2, 2),
        placed_NS=placed_NS,
        colour_NS3=_colours(INK, (TOGETHER, most), random),
    )


def _lay_all(canvas: Array, drawn: _Drawn) -> None:
    """Lay digits on grounds, in place, the later ones over the earlier."""
    for scene, place in np.argwhere(drawn.placed_NS).tolist():
        x, y = drawn.corner_NS2[scene, place].tolist()
        ink = drawn.ink_NSFF[scene, place]
        _, _, right, bottom = drawn.boxes_NS4[scene, place].tolist()
        lay(canvas[scene], ink[: bottom - y, : right - x], (x, y), drawn.colour_NS3[scene, place])


def _scatter(canvas: Array, plan: Plan, patterns: Array, random: Generator) -> None:
    """Lay what is no digit on grounds, in place."""
    height, width = plan.size
    low, most = plan.clutter
    if not most:
        return
    count_N = integers(random, low, most + 1, TOGETHER)
    total = TOGETHER * most
    drawn = distractors(patterns, total, random)
    # No smaller than a digit's, where digits are that small.
    least = min(SMALLEST_CLUTTER, plan.sides[0])
    sizes_P2 = integers(random, least, plan.sides[1] + 1, total, 2)
    ink_PFF = enlarge(drawn, sizes_P2, (plan.sides[1], plan.sides[1]))
    ink_NSFF = ink_PFF.reshape(TOGETHER, most, *ink_PFF.shape[1:])
    sizes_NS2 = sizes_P2.reshape(TOGETHER, most, 2)
    # Their middles are anywhere in the scene, so that some reach over its edges.
    middle_P2 = np.stack(
        [integers(random, 0, width, total), integers(random, 0, height, total)], -1
    )
    corner_NS2 = (middle_P2 - sizes_P2[:, ::-1] // 2).reshape(TOGETHER, most, 2)
    colour_NS3 = _colours(CLUTTER_INK, (TOGETHER, most), random)
    for scene in range(TOGETHER):
        for place in range(count_N[scene]):
            x, y = corner_NS2[scene, place].tolist()
            high, wide = sizes_NS2[scene, place].tolist()
            ink = ink_NSFF[scene, place, :high, :wide]
            lay(canvas[scene], ink, (x, y), colour_NS3[scene, place])


def _corners(size: tuple[int, int], height_NS: Array, width_NS: Array, random: Generator) -> Array:
    """Draw upper left corners at which digits lie inside their scene: N, S, T, 2 of x and y."""
    steps = 1 << 20
    drawn = integers(random, 0, steps, *height_NS.shape, TRIES, 2)
    room = np.stack([size[1] - width_NS + 1, size[0] - height_NS + 1], -1)
    return drawn * room[:, :, None] // steps


def _placed(inner_NS4: Array, corner_NST2: Array, wanted_N: Array) -> tuple[Array, Array]:
    """Choose of the tries for each digit the first at which it covers no other too far.

    Returns:
        Corners, N, S, 2, and which of the digits found a place, N, S.
    """
    boxes_NST4 = inner_NS4[:, :, None] + np.tile(corner_NST2, 2)
    scenes = np.arange(len(inner_NS4))
    corner_NS2 = corner_NST2[:, :, 0].copy()
    placed_NS = np.zeros(corner_NS2.shape[:2], dtype=bool)
    boxes_NS4 = boxes_NST4[:, :, 0].copy()
    for place in range(placed_NS.shape[1]):
        covers_NTS = _covers(boxes_NST4[:, place], boxes_NS4[:, :place])
        free_NT = ~np.any(covers_NTS & placed_NS[:, None, :place], axis=2)
        first_N = np.argmax(free_NT, axis=1)
        corner_NS2[:, place] = corner_NST2[scenes, place, first_N]
        boxes_NS4[:, place] = boxes_NST4[scenes, place, first_N]
        placed_NS[:, place] = np.any(free_NT, axis=1) & (place < wanted_N)
    return corner_NS2, placed_NS


def _covers(one_NT4: Array, other_NS4: Array) -> Array:
    """Say which pairs of boxes share too much of the smaller of them: N, T, S."""
    one, other = one_NT4[:, :, None], other_NS4[:, None]
    low = np.maximum(one[..., :2], other[..., :2])
    high = np.minimum(one[..., 2:], other[..., 2:])
    shared = (high - low).clip(min=0).prod(axis=-1)
    areas = ((box[..., 2:] - box[..., :2]).prod(axis=-1) for box in (one, other))
    return 100 * shared > COVERED * np.minimum(*areas)


def _colours(ink: tuple[int, int], shape: tuple[int, int], random: Generator) -> Array:
    """Draw colours that are nearly grey: shape, 3 of int16."""
    grey = integers(random, *ink, *shape, 1)
    tint = integers(random, -INK_TINT, INK_TINT + 1, *shape, 3)
    return (grey + tint).clip(0, 255).astype(np.int16)
