"""The machine and its randomness: seeds, device, precision, threads, and what to record of them."""

import ctypes
import hashlib
import os
import platform
import shlex
import subprocess
import sys
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Literal

import torch

from residua.errors import ConfigError

Precision = Literal["auto", "float32", "bfloat16", "float16"]


def derive(seed: int, *names: str | int) -> int:
    """Derive a seed for one purpose: equal arguments give equal seeds, others unrelated ones.

    Args:
        seed: the seed of the run.
        names: what the randomness is for, such as "order", 3 for the order of epoch 3.
    """
    text = ":".join(map(str, (seed, *names)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def generator(seed: int, *names: str | int) -> torch.Generator:
    """Make a generator on the processor whose stream depends on its arguments alone."""
    return torch.Generator().manual_seed(derive(seed, *names))


def pick_device(name: str = "auto") -> torch.device:
    """Choose where to compute: "auto" takes a CUDA device, else an Apple GPU, else the processor.

    Raises:
        ConfigError: the device asked for is not there.
    """
    available = _available_devices()
    if name == "auto":
        return torch.device(available[0])
    kind = name.split(":", maxsplit=1)[0]
    missing = ConfigError(f"device {name} is not there (this machine has {', '.join(available)})")
    if kind not in available:
        raise missing
    try:
        device = torch.device(name)
    except RuntimeError:
        raise missing from None
    if kind == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise missing
    return device


def pick_dtype(precision: Precision, device: torch.device) -> torch.dtype:
    """Choose the precision of convolutions: "auto" is bfloat16 where the hardware has it."""
    match precision:
        case "float32":
            return torch.float32
        case "bfloat16":
            return torch.bfloat16
        case "float16":
            return torch.float16
        case "auto":
            return torch.bfloat16 if _has_bfloat16(device) else torch.float32


def set_determinism(deterministic: bool) -> None:
    """Compute by algorithms whose result does not depend on chance, or by the fastest.

    On the processor all of ours are deterministic. On a GPU some operations become slower.
    """
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(deterministic, warn_only=False)
    torch.backends.cudnn.deterministic = deterministic
    torch.backends.cudnn.benchmark = not deterministic


def cores() -> int:
    """Count the processor cores of the machine."""
    return os.cpu_count() or 1


def usable_cores() -> float:
    """Count the cores that this process may use: of its affinity, and of its container's quota."""
    allowed = float(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else 0.0
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        limit = float("inf") if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        limit = float("inf")
    return min(allowed or cores(), limit)


def own_cores() -> int:
    """Count the cores that are this process's where torchrun has started several; at least 1."""
    try:
        processes = max(1, int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    except ValueError:
        processes = 1
    return max(1, int(usable_cores() / processes))


def set_threads(count: int | None) -> None:
    """Limit the threads of one process; None leaves PyTorch's own choice.

    Raises:
        ConfigError: the count is below 1 or above what the machine has.
    """
    if count is None:
        return
    if not 1 <= count <= cores():
        raise ConfigError(f"threads must be at least 1 and at most {cores()} here, got {count}")
    torch.set_num_threads(count)


def return_freed_memory() -> None:
    """Give large blocks pages of their own, that go back when freed, where the C library is glibc.

    In a first step, this lets what stays of it (kernels, the state of the optimizer) lie close
    together. Between activations it would leave holes for good into which few of the next steps'
    fit.
    """
    mmap_threshold, mmap_most = -3, -4
    _set_malloc({mmap_threshold: 1 << 18, mmap_most: 1 << 20})


def hold_freed_memory(*, of_threads: bool = False) -> None:
    """Keep freed memory in the process for the next request, where the C library is glibc.

    A training step asks for the same large blocks again and again. By default each is returned to
    the operating system when it is freed, which then clears the pages of the next one.

    Args:
        of_threads: also what threads ask for that are begun later. They share the heap of the main
            thread then, since one of their own holds no block of more than 64 MiB.
    """
    mmap_threshold, trim_threshold, arena_max = -3, -1, -8
    _set_malloc({mmap_threshold: 1 << 30, trim_threshold: (1 << 31) - 1})
    if of_threads:
        _set_malloc({arena_max: 1})


def _set_malloc(values: dict[int, int]) -> None:
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return
    for option, value in values.items():
        mallopt(option, value)


def free_memory(device: torch.device) -> int:
    """Return the bytes that are free on a device; where nobody tells, more than there can be."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    found = main_memory() if device.type == "cpu" else None
    return sys.maxsize if found is None else found[0]


def main_memory() -> tuple[int, int] | None:
    """Return the bytes of main memory that are free, and all of it; None where nobody tells."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        found = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
        return found["MemAvailable"], found["MemTotal"]
    except (OSError, KeyError, ValueError, IndexError):
        return None


def resident_memory() -> int:
    """Return the bytes of main memory that this process holds; 0 where nobody tells."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def release_freed_memory(device: torch.device) -> None:
    """Give freed memory back to the operating system, or to the other users of a GPU."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def now(device: torch.device) -> float:
    """Return seconds on a clock, once a device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def environment(device: torch.device, dtype: torch.dtype) -> dict[str, str | int]:
    """Describe what a result depends on besides its settings: versions, hardware, code state."""
    return {
        "residua": metadata.version("residua"),
        "code": _code_state(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": metadata.version("numpy"),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor_name(),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "device_type": device.type,
        "precision": str(dtype).removeprefix("torch."),
    }


def command_line() -> str:
    """Return the command that started this process, as one would type it again."""
    name = Path(sys.argv[0]).name
    return shlex.join(["residua" if name in {"residua", "__main__.py"} else name, *sys.argv[1:]])


def _available_devices() -> list[str]:
    cuda = ["cuda"] if torch.cuda.is_available() else []
    apple = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *apple, "cpu"]


def _has_bfloat16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False


def _processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _code_state() -> str:
    """Name the commit of a checkout, with "+" if files differ from it; an install has none."""
    here = Path(__file__).parent
    try:
        git = ["git", "-C", str(here), "describe", "--always", "--dirty=+", "--exclude=*"]
        found = subprocess.run(git, capture_output=True, text=True, timeout=5, check=False)
        tracked = subprocess.run(
            ["git", "-C", str(here), "ls-files", "--error-unmatch", "runtime.py"],
            capture_output=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "installed package"
    in_checkout = found.returncode == 0 and tracked.returncode == 0
    return found.stdout.strip() if in_checkout else "installed package"
