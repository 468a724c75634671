"""How long `residua --help` takes, as a whole process."""

import statistics
import subprocess
import sys
import time
from pathlib import Path

from harness import parser, report, verdict


def main():
    options = parser(__doc__)
    options.add_argument("--rounds", type=int, default=15)
    chosen = options.parse_args()
    command = [str(Path(sys.executable).with_name("residua")), "--help"]
    times = []
    for _ in range(chosen.rounds):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - began)
    line = f"Median {statistics.median(times):.3f} s, slowest {max(times):.3f} s, n = {len(times)}."
    body = f"{line}\n\n{verdict('slowest, s', max(times), 0.4, at_most=True)}"
    report("startup", body, write=chosen.write)


if __name__ == "__main__":
    main()
