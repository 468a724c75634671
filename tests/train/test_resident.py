import pytest
import torch

from residua import runtime
from residua.nets.cifar import resnet
from residua.train.recompute import Recomputed, Segment
from residua.train.resident import Bound


@pytest.fixture
def machine(monkeypatch):
    """A process whose memory is told by the test; giving back leaves what is in use."""

    class Machine:
        held = 100
        in_use = 100
        given_back = 0

        def release(self, device):
            assert device.type == "cpu"
            self.given_back += 1
            self.held = self.in_use

    made = Machine()
    monkeypatch.setattr(runtime, "resident_memory", lambda: made.held)
    monkeypatch.setattr(runtime, "release_freed_memory", made.release)
    return made


def test_freed_memory_goes_back_above_the_bound_and_not_below(machine):
    bound = Bound(50)
    bound.begin()
    assert machine.given_back == 1
    machine.held = 150
    bound.keep()
    assert machine.given_back == 1
    machine.held = 151
    bound.keep()
    assert (machine.given_back, machine.held) == (2, 100)


def test_the_bound_counts_from_the_first_beginning(machine):
    machine.held = 170
    bound = Bound(50)
    bound.begin()
    assert (machine.held, bound.limit) == (100, 150)
    machine.held = 120
    bound.begin()
    assert (machine.held, bound.limit) == (120, 150)


def test_what_is_in_use_is_not_asked_for_again_and_again(machine):
    bound = Bound(50)
    bound.begin()
    machine.held = machine.in_use = 200
    for _ in range(5):
        bound.keep()
    assert machine.given_back == 2
    assert bound.limit == 205


def test_before_it_begins_a_bound_does_nothing(machine):
    machine.held = 10**12
    Bound(1).keep()
    assert machine.given_back == 0


def test_a_recomputed_net_looks_in_both_forward_passes_of_every_segment(machine):
    segments = [
        Segment(chain="stages", start=0, stop=2),
        Segment(chain="stages", start=2, stop=6, inner=(4,)),
    ]
    bound = Bound(1000)
    net = Recomputed(resnet(20), segments, bound).train()
    looks = []
    keep = bound.keep
    bound.keep = lambda: (looks.append(1), keep())
    loss = net(torch.randn(2, 3, 8, 8)).sum()
    assert len(looks) == 2
    loss.backward()
    # The second segment runs its first two units again, and then in their turn once more.
    assert len(looks) == 2 + 2 + 2
    net.eval()
    net(torch.randn(2, 3, 8, 8))
    assert len(looks) == 6


def test_giving_memory_back_all_the_time_changes_no_bit():
    def gradients(bound):
        torch.manual_seed(0)
        net = resnet(14).train()
        segments = [Segment(chain="stages", start=i, stop=i + 2) for i in (0, 2, 4)]
        Recomputed(net, segments, bound).train()(torch.randn(4, 3, 8, 8)).sum().backward()
        return [*net.state_dict().values(), *(p.grad for p in net.parameters())]

    assert all(map(torch.equal, gradients(None), gradients(Bound(0))))


def test_the_resident_set_is_told_and_grows_with_what_is_written():
    before = runtime.resident_memory()
    if before == 0:
        pytest.skip(reason="this system does not tell what a process holds")
    block = torch.ones(50_000_000, dtype=torch.uint8)
    assert runtime.resident_memory() - before == pytest.approx(block.numel(), rel=0.1)
