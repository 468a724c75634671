from contextlib import nullcontext

import pytest
import torch
from torch import nn

from residua.errors import RunError
from residua.train.loop import Progress, Task, fit, update
from residua.train.schedule import StepsConfig


def task(loss=None, schedule=None, **options):
    net = nn.Linear(2, 1, bias=False)
    nn.init.ones_(net.weight)
    batches = [torch.full((4, 2), float(i)) for i in range(10)]
    schedule = schedule or StepsConfig(lr=0.5, at=(3,), until=5)
    return Task(
        net=net,
        batches=batches,
        loss=loss or (lambda net, batch: {"loss": net(batch).mean()}),
        optimizer=torch.optim.SGD(net.parameters(), lr=0.0),
        schedule=schedule,
        autocast=nullcontext,
        **options,
    )


def test_plain_descent_takes_the_steps_that_a_hand_would():
    job = task()
    fit(job, Progress(), lambda terms: None)
    # The gradient of iteration i is (i, i); rates are 0.5 three times, then 0.05 twice.
    expected = 1 - 0.5 * (0 + 1 + 2) - 0.05 * (3 + 4)
    assert job.net.weight.tolist() == [[pytest.approx(expected)] * 2]


def test_progress_holds_the_update_when_it_is_reported():
    progress, seen = Progress(), []
    fit(task(), progress, lambda terms: seen.append((progress.iteration, progress.count)))
    assert seen == [(i, i) for i in range(1, 6)]


def test_means_are_of_the_updates_since_the_last_report():
    progress = Progress(sums={"loss": 6.0, "error": 30.0}, count=3)
    assert progress.means() == {"loss": 2.0, "error": 10.0}
    assert progress == Progress()


def test_training_goes_on_where_progress_stands():
    straight, resumed = task(), task()
    fit(straight, Progress(), lambda terms: None)
    progress = Progress()

    def stop_at_two(terms):
        if progress.iteration == 2:
            raise RunError("stop")

    with pytest.raises(RunError):
        fit(resumed, progress, stop_at_two)
    fit(resumed, progress, lambda terms: None)
    assert torch.equal(straight.net.weight, resumed.net.weight)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_and_names_the_iteration(value):
    def loss(net, batch):
        return {"loss": net(batch).mean() * (value if batch[0, 0] == 2 else 1)}

    progress = Progress()
    with pytest.raises(RunError, match=rf"the loss is {value} at iteration 2, with the rate 0.5"):
        fit(task(loss), progress, lambda terms: None)
    assert progress.iteration == 2


def test_a_rate_that_is_not_the_schedules_is_found():
    job = task()

    def meddle(terms):
        return None

    step = job.optimizer.step

    def other_rate(*args, **kwargs):
        step(*args, **kwargs)
        job.optimizer.param_groups[0]["lr"] = 7.0

    job.optimizer.step = other_rate
    with pytest.raises(RunError, match=r"used the rates \[7.0\], but the schedule says \[0.5\]"):
        fit(job, Progress(), meddle)


class Rows:
    """A batch of rows that can be cut."""

    def __init__(self, rows):
        self.rows = rows

    def split(self, parts):
        return [Rows(part) for part in self.rows.chunk(parts)]


def gradient_of(parts, **options):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    job = Task(
        net=net,
        batches=[Rows(torch.randn(12, 3))],
        loss=lambda net, batch: {"loss": net(batch.rows).square().mean()},
        optimizer=torch.optim.SGD(net.parameters(), lr=0.0),
        schedule=StepsConfig(lr=1.0, at=(), until=1),
        parts=parts,
        **options,
    )
    terms = update(job, 0)
    return terms, torch.cat([p.grad.flatten() for p in net.parameters()])


@pytest.mark.parametrize("parts", [2, 3, 4])
def test_a_batch_in_parts_has_the_gradient_and_the_loss_of_the_whole(parts):
    terms, gradient = gradient_of(1)
    of_parts, accumulated = gradient_of(parts)
    assert of_parts["loss"] == pytest.approx(terms["loss"], rel=1e-5)
    assert torch.allclose(accumulated, gradient, rtol=1e-4, atol=1e-6)


def test_a_gradient_that_is_too_long_is_scaled_down_and_its_length_reported():
    terms, gradient = gradient_of(1)
    assert terms["gradient_norm"] == pytest.approx(gradient.norm().item(), rel=1e-5)
    bound = gradient.norm().item() / 4
    clipped_terms, clipped = gradient_of(1, clip=bound)
    assert clipped_terms["gradient_norm"] == pytest.approx(terms["gradient_norm"])
    assert torch.allclose(clipped, gradient / 4, rtol=1e-3, atol=1e-7)
    _, untouched = gradient_of(1, clip=10 * gradient.norm().item())
    assert torch.equal(untouched, gradient)


def test_a_scaled_loss_leaves_the_gradient_as_it_was():
    _, gradient = gradient_of(2)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    terms, scaled = gradient_of(2, scaler=scaler)
    assert torch.allclose(scaled, gradient, rtol=1e-5, atol=1e-7)
    assert terms["gradient_norm"] == pytest.approx(gradient.norm().item(), rel=1e-5)


def test_a_gradient_out_of_the_range_of_float16_is_left_out_and_the_scale_lowered():
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**127)
    job = task(lambda net, batch: {"loss": (net(batch) * 100).mean()}, scaler=scaler)
    update(job, 2)
    assert job.net.weight.tolist() == [[1.0, 1.0]]
    assert scaler.get_scale() == 2.0**126


def test_a_gradient_that_is_no_number_stops_before_the_weights_have_it():
    class Poison(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * float("inf")

    job = task(lambda net, batch: {"loss": Poison.apply(net(batch)).mean()})
    with pytest.raises(RunError, match=r"the gradient's norm is (inf|nan) at iteration 1"):
        update(job, 1)
    assert job.net.weight.tolist() == [[1.0, 1.0]]


def test_the_random_numbers_of_an_update_depend_on_its_iteration_alone():
    drawn = []

    def loss(net, batch):
        drawn.append(torch.rand(()).item())
        return {"loss": net(batch).mean()}

    job = task(loss, seed=torch.manual_seed)
    fit(job, Progress(), lambda terms: torch.rand(7))
    assert drawn == [
        torch.rand((), generator=torch.Generator().manual_seed(i)).item() for i in range(5)
    ]


def test_the_net_is_trained_in_train_mode():
    job = task()
    job.net.eval()
    fit(job, Progress(), lambda terms: None)
    assert job.net.training


def test_a_group_has_its_factor_of_the_rate():
    job = task()
    job.optimizer.param_groups[0]["factor"] = 2.0
    fit(job, Progress(), lambda terms: None)
    expected = 1 - 2 * (0.5 * (0 + 1 + 2) + 0.05 * (3 + 4))
    assert job.net.weight.tolist() == [[pytest.approx(expected)] * 2]
