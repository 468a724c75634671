"""Random objects, and detections near them, for tests."""

import torch

from residua.data.objects import Objects
from residua.detect.found import Found


def boxes(generator, count, side=200.0):
    low = torch.rand(count, 2, generator=generator) * side
    return torch.cat([low, low + 4 + torch.rand(count, 2, generator=generator) * side * 0.7], 1)


def some(seed, *, pictures=8, classes=3, most=7, crowds=0.2, difficult=0.0):
    """Draw objects of several pictures, and detections: some near objects, some of equal score."""
    generator = torch.Generator().manual_seed(seed)

    def flags(count, share):
        return torch.rand(count, generator=generator) < share

    def whole(high, count=1):
        return torch.randint(high, (count,), generator=generator)

    objects, found = [], []
    for _ in range(pictures):
        count = int(whole(most))
        here = boxes(generator, count)
        area = (here[:, 2:] - here[:, :2]).prod(1) * torch.rand(count, generator=generator)
        objects.append(
            Objects.of(
                here,
                1 + whole(classes, count),
                crowd_R=flags(count, crowds),
                difficult_R=flags(count, difficult),
                area_R=area,
            )
        )
        near = here.repeat(3, 1) + 12 * torch.randn(3 * count, 4, generator=generator)
        near[:, 2:] = torch.maximum(near[:, 2:], near[:, :2] + 1)
        labels = objects[-1].labels_R.repeat(3)
        stray = int(whole(5))
        labels = torch.where(flags(3 * count, 0.2), 1 + whole(classes, 3 * count), labels)
        shown = torch.cat([near, boxes(generator, stray)])
        scores = whole(40, len(shown)) / 40 + 0.01
        found.append(Found.of(shown, scores, torch.cat([labels, 1 + whole(classes, stray)])))
    return found, objects
