import platform
import subprocess
import sys

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from residua import runtime
from residua.errors import ConfigError


@given(st.integers(0, 2**40), st.text(), st.integers(0, 2**40))
def test_seeds_for_one_purpose_repeat_and_fit_a_generator(seed, name, number):
    value = runtime.derive(seed, name, number)
    assert value == runtime.derive(seed, name, number)
    assert 0 <= value < 2**63


def test_seeds_for_two_purposes_differ():
    values = {runtime.derive(seed, name, i) for seed in range(9) for name in "ab" for i in range(9)}
    assert len(values) == 9 * 2 * 9


def test_generators_of_equal_names_give_equal_numbers():
    one, two = (torch.rand(5, generator=runtime.generator(1, "order", 2)) for _ in range(2))
    assert torch.equal(one, two)


def test_a_device_that_is_not_there_is_answered_with_those_that_are():
    with pytest.raises(ConfigError, match=r"device tpu is not there \(this machine has .*cpu\)"):
        runtime.pick_device("tpu")


def test_automatic_precision_follows_the_hardware(monkeypatch):
    cpu = torch.device("cpu")
    for flags, expected in [({"amx_bf16": True}, torch.bfloat16), ({}, torch.float32)]:
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda flags=flags: flags)
        assert runtime.pick_dtype("auto", cpu) is expected
    assert runtime.pick_dtype("float32", cpu) is torch.float32
    assert runtime.pick_dtype("bfloat16", cpu) is torch.bfloat16


def test_no_thread_is_too_few():
    for count in (0, -1, 10**8):
        with pytest.raises(ConfigError, match=f"at least 1 and at most .*, got {count}"):
            runtime.set_threads(count)


def test_the_environment_names_what_a_result_depends_on():
    found = runtime.environment(torch.device("cpu"), torch.float32)
    assert found["torch"] == torch.__version__
    assert found["precision"] == "float32"
    assert {"residua", "code", "python", "processor", "threads", "device"} <= found.keys()


def test_the_command_is_what_one_would_type(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/somewhere/bin/residua", "train", "--seed", "3"])
    assert runtime.command_line() == "residua train --seed 3"


@pytest.mark.parametrize("name", ["cpu:x", "cuda:99", "tpu"])
def test_a_device_that_is_not_there_is_said(name):
    with pytest.raises(ConfigError, match=rf"device {name} is not there \(this machine has "):
        runtime.pick_device(name)


@pytest.mark.parametrize(
    ("usable", "processes", "expected"),
    [(16.0, "8", 2), (16.0, None, 16), (1.5, None, 1), (2.0, "8", 1), (4.0, "", 4)],
)
def test_processes_of_one_machine_share_its_cores(monkeypatch, usable, processes, expected):
    monkeypatch.setattr(runtime, "usable_cores", lambda: usable)
    monkeypatch.delenv("LOCAL_WORLD_SIZE", raising=False)
    if processes is not None:
        monkeypatch.setenv("LOCAL_WORLD_SIZE", processes)
    assert runtime.own_cores() == expected


def test_cores_that_may_not_be_used_do_not_count(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 4096)
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 3, 4}, raising=False)
    assert runtime.usable_cores() <= 3
    assert runtime.own_cores() <= 3


FREED = """
import torch
from residua import runtime

def freed():
    before = runtime.resident_memory()
    blocks = [torch.ones(4_000_000, dtype=torch.uint8) for _ in range(10)]
    kept.append(torch.ones(1000))
    assert runtime.resident_memory() - before > 30_000_000
    del blocks
    return runtime.resident_memory() - before

kept = []
runtime.return_freed_memory()
returned = freed()
runtime.hold_freed_memory()
print(returned, freed())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc can be told so")
def test_freed_blocks_go_back_to_the_system_until_they_are_held():
    """In a process of its own: what others have freed there is used first."""
    words = [sys.executable, "-c", FREED]
    printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    returned, held = map(int, printed.split())
    assert returned < 5_000_000
    assert held > 30_000_000
