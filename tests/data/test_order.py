from collections import Counter

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from residua.data.order import Order

counts = st.lists(st.integers(1, 20), min_size=2, max_size=5)


def labels_of(sizes):
    return torch.cat([torch.full((size,), label) for label, size in enumerate(sizes)])


@settings(deadline=None)
@given(counts, st.integers(0, 9))
def test_a_balanced_epoch_shows_every_class_equally_often(sizes, seed):
    labels = labels_of(sizes)
    order = Order(labels, batch_size=len(labels), seed=seed, balance=True)
    for epoch in range(3):
        shown = order.indices(epoch)
        assert len(shown) == len(labels)
        per_class = torch.bincount(labels[shown], minlength=len(sizes))
        assert per_class.max() - per_class.min() <= 1
        for label in range(len(sizes)):
            times = Counter(shown[labels[shown] == label].tolist()).values()
            # None is shown again before all of its class were.
            assert max(times, default=0) - min(times, default=0) <= 1 or len(times) == sizes[label]


def test_balanced_epochs_reach_all_of_a_large_class():
    labels = labels_of([100, 5])
    order = Order(labels, batch_size=105, seed=0, balance=True)
    seen = set(torch.cat([order.indices(epoch) for epoch in range(12)]).tolist())
    assert len(seen) == 105


def test_a_balanced_batch_depends_on_its_iteration_alone():
    labels = labels_of([9, 4, 2])
    one, two = (Order(labels, batch_size=4, seed=3, balance=True) for _ in range(2))
    for iteration in (7, 0, 3, 7):
        one.indices(iteration)
    assert torch.equal(one.indices(5), two.indices(5))


def test_without_balance_every_picture_is_shown_once():
    order = Order(labels_of([9, 1]), batch_size=10, seed=0)
    assert sorted(order.indices(2).tolist()) == list(range(10))
