"""Whether this machine is fit for training, in sentences that say what to do."""

import importlib
import importlib.metadata
import os
import platform
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch

from residua import extras, runtime

# What optional parts of the package import, by the name of the extra that installs them.
LEAST_MEMORY, LEAST_DISK = 2e9, 1e9


@dataclass(frozen=True)
class Checkup:
    """What a machine has, and what is wrong with it.

    Args:
        facts: what was found, by its name.
        remarks: what could be better.
        faults: what keeps trainings from working.
    """

    facts: dict[str, str]
    remarks: list[str]
    faults: list[str]


def check(runs: Path) -> Checkup:
    """Look at versions, devices, cores, memory, disk and the folder of runs."""
    remarks: list[str] = []
    faults: list[str] = []
    device = runtime.pick_device()
    facts = {
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": _torchvision(faults),
        "device": _device(device),
        "precision": str(runtime.pick_dtype("auto", device)).removeprefix("torch."),
        "cores": _cores(remarks),
        "memory": _memory(remarks),
        "disk": _disk(runs, faults, remarks),
        "extras": _extras(),
    }
    return Checkup(facts, remarks, faults)


def _torchvision(faults: list[str]) -> str:
    """Return the version, and notice one built for another torch: its operators are not there."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ops = importlib.import_module("torchvision.ops")
            ops.nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([1.0]), 0.5)
    except Exception as error:  # A mismatch fails in import, in loading or in the call.
        faults.append(
            f"torchvision does not work with torch {torch.__version__} ({error}): install the pair "
            "of versions that belong together"
        )
    try:
        return importlib.metadata.version("torchvision")
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _device(device: torch.device) -> str:
    if device.type != "cuda":
        return "processor" if device.type == "cpu" else "Apple GPU"
    free, total = torch.cuda.mem_get_info(device)
    count = torch.cuda.device_count()
    return (
        f"{count} x {torch.cuda.get_device_name(device)}, "
        f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"
    )


def _cores(remarks: list[str]) -> str:
    usable, threads = runtime.usable_cores(), torch.get_num_threads()
    if threads > usable:
        remarks.append(
            f"torch takes {threads} threads where {usable:g} cores may be used: they would wait "
            f"for one another (--threads {max(1, int(usable))})"
        )
    elif threads < usable / 2:
        remarks.append(
            f"torch takes {threads} of {usable:g} cores: OMP_NUM_THREADS may be set "
            f"(--threads {int(usable)})"
        )
    return f"{usable:g} of {runtime.cores()}, {threads} threads"


def _memory(remarks: list[str]) -> str:
    found = runtime.main_memory()
    if found is None:
        return "unknown"
    free, total = found
    if free < LEAST_MEMORY:
        remarks.append(
            f"{free / 1e9:.1f} GB of memory are free: small networks and batches fit, large ones "
            "do not"
        )
    return f"{free / 1e9:.1f} of {total / 1e9:.1f} GB free"


def _disk(runs: Path, faults: list[str], remarks: list[str]) -> str:
    there = next(
        folder for folder in (runs.absolute(), *runs.absolute().parents) if folder.exists()
    )
    if not (there.is_dir() and os.access(there, os.W_OK)):
        faults.append(f"{runs} cannot be written: choose another folder with --runs")
    free = shutil.disk_usage(there).free
    if free < LEAST_DISK:
        remarks.append(f"{free / 1e9:.1f} GB are free for {runs}: checkpoints may not fit")
    return f"{free / 1e9:.1f} GB free for {runs}"


def _extras() -> str:
    absent = [
        name for name, modules in extras.EXTRAS.items() if not all(map(extras.installed, modules))
    ]
    if not absent:
        return "all installed"
    return f"without {', '.join(absent)} (pip install 'residua[{','.join(absent)}]')"
