"""What an optimized folder takes when it is used alone: time to open, memory, and that it works."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from residua.errors import RunError

MOST_SECONDS = 900


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What a process of its own took.

    Args:
        seconds: from nothing to ready, with the import of the engine's package.
        peak_bytes: of main memory, the engine's package included; 0 where nobody tells.
    """

    seconds: float | None
    peak_bytes: int


def footprint(folder: Path, *, batch: int, threads: int) -> Footprint:
    """Let the folder's own loader compute black pictures in a process of its own.

    What would end this process, such as an instruction that the processor lacks, ends that one.

    Args:
        folder: with load.py.
        batch: pictures at a time.
        threads: of the processor.

    Raises:
        RunError: the process did not come to its end, with the last that it said.
    """
    words = [sys.executable, "load.py", "--check", str(batch), "--threads", str(threads)]
    try:
        done = subprocess.run(
            words, cwd=folder, capture_output=True, text=True, timeout=MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RunError(f"its loader did not answer within {MOST_SECONDS} s") from None
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise RunError(f"its loader failed: {lines[-1]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Footprint(seconds=told["seconds_to_open"], peak_bytes=told["peak_bytes"])
