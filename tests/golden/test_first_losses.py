"""The first losses of one small run: a change that should alter no result leaves them as they are.

Tolerance: the order of float32 sums differs between processors and numbers of threads. Between one
and two threads, and between AVX2 and AVX-512, these six losses moved by less than 1e-4 of their
value (the tenth already by 7e-4); a wrong seed, rate or augmentation moves them by more than 1e-2.
"""

import pytest

from residua import execute, recipes

LOSSES = [2.59370, 2.51937, 2.40562, 2.38033, 2.29522, 2.20583]


def test_the_first_losses_are_the_recorded_ones():
    losses = []

    def listen(event):
        if event["kind"] == "update" and event["iteration"] <= 6:
            losses.append(event["loss"])
        if len(losses) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute.run(recipes.find("digits.resnet20"), device="cpu", listen=listen, page=False)
    assert losses == pytest.approx(LOSSES, rel=5e-4)
