import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from residua.errors import ConfigError
from residua.nets.cifar import resnet
from residua.train import memory
from residua.train.memory import choose, parse_bytes, size, smallest
from residua.train.optimize import SgdConfig
from residua.train.profile import Profile, profile
from residua.train.recompute import Recomputed, Segment, chains
from residua.train.segments import Problem
from residua.train.shorten import Unit


def made(tables, **changes):
    numbers = {
        "tables": tables,
        "parameters": 0,
        "state": 0,
        "picture": 0,
        "device": "none",
        "timed_batch": 2,
        "rest": 0.0,
        "update": 0.0,
    }
    return Profile(**numbers | changes)


def chain(count, *, inside=300, boundary=100, seconds=1.0):
    """`count` equal units whose bytes are those of 2 pictures; the forward pass is a third."""
    units = [
        Unit(
            chain="stages",
            index=index,
            inside=inside,
            input=boundary,
            keeps_input=index > 0,
            forward=seconds,
            backward=2 * seconds,
        )
        for index in range(count)
    ]
    more = [
        Unit(**{**vars(u), "inside": u.inside * 3 // 2, "input": u.input * 3 // 2}) for u in units
    ]
    return tuple(units), tuple(more)


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    """Leave out what a step needs besides activations."""
    monkeypatch.setattr(memory, "WORKING", 0)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("6GB", 6_000_000_000),
        ("800 MB", 800_000_000),
        ("1.5GiB", 3 * 2**29),
        ("2g", 2_000_000_000),
        ("64KiB", 65536),
        ("123", 123),
    ],
)
def test_sizes_are_read_as_people_write_them(text, count):
    assert parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "six", "-1GB", "0GB", "6XB", "GB", "6iB", "1e9"])
def test_what_is_not_a_size_is_answered_with_a_sentence(text):
    with pytest.raises(ConfigError, match=r"must be a size above zero like 6GB, 800MB or 6GiB"):
        parse_bytes(text)


def test_sizes_are_written_with_three_digits():
    assert [size(n) for n in (6e9, 831_200_000, 999)] == ["6.00 GB", "831 MB", "0 MB"]


def test_without_a_budget_or_with_enough_nothing_is_recomputed():
    seen = made(chain(10))
    plain = 10 * 300 + 9 * 100
    for budget in (None, plain):
        plan = choose(seen, 2, budget)
        assert (plan.segments, plan.peak, plan.plain) == ((), plain, plain)
        assert plan.seconds == plan.plain_seconds == 30


def test_the_last_units_stay_as_they_are():
    plan = choose(made(chain(10)), 2, 3000)
    assert plan.segments[0].start == 0
    assert plan.segments[-1].stop < 10
    assert plan.seconds == 30 + plan.segments[-1].stop


def test_a_hand_made_plan():
    # Two units recomputed in one segment: 100 for its input, 100 for that of the third and two
    # units that stay with a boundary between them; or, in its turn, what the segment saves itself.
    plan = choose(made(chain(4)), 2, 1000)
    assert [(s.start, s.stop, s.inner) for s in plan.segments] == [(0, 2, ())]
    assert plan.peak == 100 + 100 + 2 * 300 + 100


def brute_force(units, budget):
    """Try every cut into segments; return the fewest seconds that fit."""
    best = None
    count = len(units)
    for cut in range(count + 1):
        for marks in itertools.product((False, True), repeat=max(0, cut - 1)):
            edges = [0, *(i + 1 for i, mark in enumerate(marks) if mark), cut] if cut else [0]
            held, peak = 0, 0
            for start, stop in itertools.pairwise(edges):
                held += units[start].input
                inside = sum(u.inside + u.output for u in units[start:stop][-1:])
                inside += sum(u.inside for u in units[start : stop - 1])
                inside += sum(u.input * u.keeps_input for u in units[start + 1 : stop])
                peak = max(peak, held + inside)
            rest = sum(u.inside for u in units[cut:])
            rest += sum(u.input * u.keeps_input for u in units[cut + 1 :])
            rest += units[cut].input if 0 < cut < count else 0
            peak = max(peak, held + rest)
            if peak <= budget and (best is None or cut < best):
                best = cut
    return best


kinds = st.tuples(st.integers(0, 50), st.integers(1, 30), st.booleans(), st.booleans())


def of_kinds(kinds):
    units = tuple(
        Unit(
            chain="c",
            index=index,
            inside=2 * inside,
            input=2 * boundary,
            keeps_input=keeps and index > 0,
            output=2 * (kinds[index + 1][1] if gives and index + 1 < len(kinds) else 0),
            forward=1.0,
            backward=1.0,
        )
        for index, (inside, boundary, keeps, gives) in enumerate(kinds)
    )
    more = tuple(
        Unit(
            **{
                **vars(u),
                "inside": u.inside // 2 * 3,
                "input": u.input // 2 * 3,
                "output": u.output // 2 * 3,
            }
        )
        for u in units
    )
    return units, more


@given(st.lists(kinds, min_size=1, max_size=7), st.integers(1, 600))
@settings(deadline=None, max_examples=60)
def test_no_other_plan_of_one_level_takes_less_time(kinds, budget):
    tables = of_kinds(kinds)
    problem = Problem(made(tables).units(2))
    if problem.plain <= budget:
        return
    expected = brute_force(tables[0], budget)
    found = problem.one_level(budget)
    assert (found is None) == (expected is None)
    if found is not None:
        segments, peak, extra = found
        assert extra == expected
        assert peak <= budget
        covered = [i for s in segments for i in range(s.start, s.stop)]
        assert covered == list(range(expected))


@given(st.lists(kinds, min_size=2, max_size=30))
@settings(deadline=None, max_examples=40)
def test_more_memory_never_means_more_time_and_every_plan_fits(kinds):
    seen = made(of_kinds(kinds))
    least = smallest(seen, 2)
    plain = choose(seen, 2).plain
    before = float("inf")
    for step in range(9):
        budget = least + 1 + (plain - least) * step // 8
        plan = choose(seen, 2, budget)
        assert plan.peak <= budget
        assert plan.seconds <= before
        before = plan.seconds
    assert before == choose(seen, 2).plain_seconds


def test_two_levels_need_less_than_one_and_take_longer():
    seen = made(chain(300))
    once = Problem(seen.units(2))._smallest_bound()
    least = smallest(seen, 2)
    assert least < 0.7 * once
    plan = choose(seen, 2, least + 1)
    assert any(segment.inner for segment in plan.segments)
    assert choose(seen, 2, int(once) + 1).seconds < plan.seconds <= 1.67 * plan.plain_seconds
    covered = [i for s in plan.segments for i in range(s.start, s.stop)]
    assert covered == list(range(300))
    assert all(s.start < i < s.stop for s in plan.segments for i in s.inner)


def test_a_segment_of_two_levels_ends_with_its_chain():
    both = []
    for table in chain(300):
        first = [Unit(**{**vars(unit), "chain": "stem"}) for unit in table[:3]]
        both.append((*first, *table))
    seen = made(tuple(both))
    plan = choose(seen, 2, smallest(seen, 2) + 1)
    assert any(segment.inner for segment in plan.segments)
    lengths = {"stem": 3, "stages": 300}
    assert all(segment.stop <= lengths[segment.chain] for segment in plan.segments)
    covered = [i for s in plan.segments if s.chain == "stages" for i in range(s.start, s.stop)]
    assert covered == sorted(set(covered))


def test_too_little_is_refused_with_the_least_and_the_batch_that_would_fit():
    seen = made(chain(40))
    least = smallest(seen, 64)
    with pytest.raises(ConfigError, match=r"a step of 64 pictures .*\(a batch of (\d+) would fit"):
        choose(seen, 64, least // 2)
    with pytest.raises(ConfigError, match="no batch would fit"):
        choose(seen, 64, 10)


def test_what_cannot_be_run_again_stays():
    units, more = chain(6)
    mended = [
        tuple(Unit(**{**vars(u), "fixed": u.index == 2}) for u in table) for table in (units, more)
    ]
    plan = choose(made(tuple(mended)), 2, smallest(made(tuple(mended)), 2) + 1)
    assert 2 not in [i for s in plan.segments for i in range(s.start, s.stop)]
    assert 1 in [i for s in plan.segments for i in range(s.start, s.stop)]


def test_no_segment_begins_where_a_module_writes_over_its_input():
    units, more = chain(12)
    mended = [
        tuple(Unit(**{**vars(u), "attached": u.index % 3 == 1}) for u in table)
        for table in (units, more)
    ]
    seen = made(tuple(mended))
    plan = choose(seen, 2, int(choose(seen, 2).plain * 0.6))
    begins = {s.start for s in plan.segments} | {i for s in plan.segments for i in s.inner}
    assert begins
    assert not begins & {1, 4, 7, 10}


def measured(net, shape=(3, 16, 16), dtype=torch.float32, batch=4):
    return profile(
        net,
        shape,
        batch=batch,
        device=torch.device("cpu"),
        dtype=dtype,
        make_optimizer=SgdConfig().build,
    )


def kept_bytes(net, x, dtype):
    own = {p.untyped_storage().data_ptr() for p in [*net.parameters(), *net.buffers()]}
    found = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            found[storage.data_ptr()] = storage.nbytes()
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)
    with hooks, torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
        loss = net(x).float().logsumexp(dim=-1).mean()
    assert loss.requires_grad
    return sum(found.values())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize(
    "settings",
    [
        {"depth": 62},
        {"depth": 29, "block": "bottleneck", "shortcut": "B"},
        {"depth": 62, "order": "full_preact"},
        {"depth": 14, "shortcut": "exclusive_gating"},
    ],
    ids=str,
)
def test_bytes_of_a_short_copy_stand_for_those_of_the_whole_net(settings, dtype):
    net = resnet(**settings).to(memory_format=torch.channels_last).train()
    seen = measured(net, dtype=dtype)
    x = torch.randn(5, 3, 16, 16).to(memory_format=torch.channels_last)
    problem = Problem(seen.units(5))
    assert problem.plain == pytest.approx(kept_bytes(net, x, dtype), rel=1e-3)
    assert seen.parameters == sum(4 * p.numel() for p in net.parameters())
    assert seen.state == seen.parameters


def test_what_a_plan_keeps_is_what_was_predicted():
    net = resnet(32).to(memory_format=torch.channels_last).train()
    seen = measured(net)
    problem = Problem(seen.units(4))
    segments, _, _ = problem.one_level(problem.plain / 2.5)
    cut = sum(s.stop - s.start for s in segments)
    again = Recomputed(net, segments).train()
    x = torch.randn(4, 3, 16, 16).to(memory_format=torch.channels_last)
    held, *_ = problem._reach(0, problem.plain / 2.5)
    expected = held[cut] + problem._rest(cut)
    # The pictures and the first convolution's input are the same tensor, counted once here.
    assert kept_bytes(again, x, torch.float32) == pytest.approx(expected, rel=0.02)


def test_the_profile_leaves_the_net_and_the_random_numbers_alone():
    net = resnet(8)
    before = {key: value.clone() for key, value in net.state_dict().items()}
    state = torch.get_rng_state()
    seen = measured(net)
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())
    assert seen.seconds(4) > 0
    assert all(p.grad is None for p in net.parameters())


def test_units_stand_in_their_order_with_what_they_are_attached_to():
    units = measured(resnet(20)).units(4)
    stages = [u for u in units if u.chain == "stages"]
    assert [u.index for u in stages] == list(range(9))
    assert all(u.forward > 0 and u.backward > 0 for u in stages)
    # The ReLU of the stem writes over what batch norm made, where no gradient is wanted.
    assert [u.attached for u in units if u.chain == "stem"] == [False, False, True]


def test_shared_weights_and_other_state_are_not_run_again():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            self.seen.add_(1)
            return x * 1.5

    one = nn.Linear(4, 4)
    net = nn.Sequential(one, nn.Tanh(), Counter(), nn.Linear(4, 4), nn.Tanh(), one)
    assert {u.index for u in measured(net, shape=(4,)).units(4) if u.fixed} - {-1} == {0, 2, 5}


def test_a_module_that_stands_in_a_sequence_twice_is_applied_twice():
    one = nn.Linear(4, 4)
    net = nn.Sequential(one, nn.Tanh(), one).train()
    x = torch.randn(2, 4)
    again = Recomputed(net, [Segment(chain="", start=1, stop=2)]).train()
    assert torch.equal(again(x), net(x))


def test_a_sequence_that_runs_twice_is_refused_with_a_sentence():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(4, 4), nn.Tanh())

        def forward(self, x):
            return self.inner(self.inner(x))

    with pytest.raises(ConfigError, match="applies its sequence 'inner' more than once"):
        measured(Twice(), shape=(4,))


def test_a_net_without_sequences_is_told_what_it_needs():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(4, 4)

        def forward(self, x):
            return self.fc(x).tanh()

    assert chains(Bare()) == {}
    seen = measured(Bare(), shape=(4,))
    with pytest.raises(ConfigError, match="no batch would fit"):
        choose(seen, 64, 1)


def test_a_net_that_cannot_run_is_refused_with_a_sentence():
    with pytest.raises(ConfigError, match="a training step on pictures of 5x4x4 could not be"):
        measured(nn.Conv2d(3, 4, 3), shape=(5, 4, 4))
