from contextlib import nullcontext

import pytest
import torch
from torch import nn

from residua.errors import RunError
from residua.train.loop import Progress, Task, fit
from residua.train.schedule import StepsConfig


def task(loss=None, schedule=None):
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
