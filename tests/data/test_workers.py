import os
import signal
import subprocess
import sys
import time

import pytest

from residua.data.workers import Workers
from residua.errors import RunError


def double(number):
    return 2 * number


def die(number):
    os.kill(os.getpid(), signal.SIGKILL)


def fail(number):
    raise ValueError(f"cannot take {number}")


@pytest.mark.parametrize("count", [0, 2])
def test_answers_come_in_the_order_of_the_asking(count):
    workers = Workers(double, count)
    answers = [workers.ask(number) for number in range(20)]
    assert [answer() for answer in answers] == [2 * number for number in range(20)]
    workers.close()


@pytest.mark.parametrize("count", [0, 1])
def test_an_error_of_the_function_is_that_of_the_answer(count):
    workers = Workers(fail, count)
    answer = workers.ask(3)
    with pytest.raises(ValueError, match="cannot take 3"):
        answer()
    workers.close()


def test_a_worker_that_is_killed_is_told_in_a_sentence():
    workers = Workers(die, 1)
    answer = workers.ask(1)
    with pytest.raises(RunError, match="a process that reads pictures ended unexpectedly"):
        answer()
    with pytest.raises(RunError, match="ended unexpectedly"):
        workers.ask(2)
    workers.close()


SCRIPT = """
import os, signal, sys, time
from residua.data.workers import Workers
workers = Workers(os.getpgid, 2)
asked = [workers.ask(0) for _ in range(4)]
[answer() for answer in asked]
print(*workers.pool._processes, flush=True)
time.sleep(60)
"""


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_the_process_they_work_for(number):
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        workers = [int(word) for word in process.stdout.readline().split()]
        assert workers
        assert not any(map(gone, workers))
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal sends it
        else:
            process.send_signal(number)
        process.wait(timeout=30)
        deadline = time.monotonic() + 20
        while not all(map(gone, workers)):
            assert time.monotonic() < deadline, "workers outlive the process they work for"
            time.sleep(0.05)
