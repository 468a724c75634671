"""The lines of docs/scale.md: the one for several machines is run, as two agents on one machine."""

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from residua import events

TEXT = (Path(__file__).parents[2] / "docs" / "scale.md").read_text()
LINES = [line for line in TEXT.splitlines() if line.startswith("torchrun ")]


# As Ray joins the processes of a training, and as a notebook may.
SPAWNED = """
import sys
import torch.distributed as dist
import torch.multiprocessing as mp


def train(rank, where):
    import residua
    from residua.recipes.digits import resnet20

    dist.init_process_group("gloo", init_method=f"file://{where}/store", rank=rank, world_size=2)
    residua.run(resnet20().smoke(), root=f"{where}/runs", device="cpu", page=False)
    assert dist.is_initialized()
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(train, (sys.argv[1],), nprocs=2)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


@pytest.mark.skipif(sys.platform == "win32", reason="needs gloo")
def test_two_agents_train_together(tmp_path):
    several, line = [line for line in LINES if "--nnodes" in line]
    for there, here in (
        ("--nproc-per-node 8", "--nproc-per-node 1 --local-addr localhost"),
        ("node1:", "localhost:"),
        ("cifar.resnet110", "digits.resnet20 --smoke --device cpu"),
        ("/shared/runs", "shared"),
    ):
        assert there in several
        several = several.replace(there, here)
    assert several == line
    port = free_port()
    for there, here in (
        ("--rdzv-id residua1", f"--rdzv-id {port}"),
        ("localhost:29500", f"localhost:{port}"),
        ("--runs shared", f"--runs {shlex.quote(str(tmp_path))}"),
    ):
        assert there in line
        line = line.replace(there, here)
    words = [sys.executable, "-m", "torch.distributed.run", *shlex.split(line)[1:]]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    agents = [
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    outputs = [agent.communicate(timeout=240) for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], outputs
    said = b"".join(out for out, _ in outputs).decode()
    assert len(re.findall(r"^test error ", said, flags=re.MULTILINE)) == 1
    (folder,) = (tmp_path / "digits.resnet20").iterdir()
    record = events.read(folder)
    assert events.first(record, "start")["environment"]["processes"] == 2
    assert events.result(record)["test_count"] == 360


@pytest.mark.skipif(sys.platform == "win32", reason="needs gloo")
def test_processes_that_are_joined_already_train_together_and_stay_joined(tmp_path):
    script = tmp_path / "spawned.py"
    script.write_text(SPAWNED)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(script), str(tmp_path)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs/digits.resnet20").iterdir()
    record = events.read(folder)
    assert events.first(record, "start")["environment"]["processes"] == 2
    assert events.result(record)["test_count"] == 360


def test_the_function_for_ray_is_python():
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, flags=re.DOTALL)
    compile(code, "scale.md", "exec")
