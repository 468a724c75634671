"""Kill a training outright at random moments, go on each time, and compare with one left alone.

Every update writes a checkpoint, so that many kills fall into a write. The moments are drawn from a
seed, uniform over the first two seconds after the first update of each stretch.
"""

import hashlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import parser, report, table

STRETCH = """
import os, sys
from dataclasses import replace
from residua import conduct, execute, files
from residua.recipes.digits import resnet20

conduct.CHECKPOINT_SECONDS, conduct.CHECKPOINT_SHARE = 0.0, float("inf")
write = files.write

def told(path, content):
    print("writing", flush=True)
    write(path, content)
    print("written", flush=True)

files.write = told
root, name = sys.argv[1:]
recipe = resnet20()
experiment = replace(recipe, schedule=recipe.schedule.scaled(UPDATES))
if os.path.exists(f"{root}/{recipe.name}/{name}/checkpoints"):
    execute.resume(f"{root}/{recipe.name}/{name}", page=False)
else:
    execute.run(experiment, root=root, name=name, page=False)
"""


def stretch(root, name, updates):
    """Start a stretch of a training in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", STRETCH.replace("UPDATES", str(updates)), str(root), name],
        stdout=subprocess.PIPE,
        text=True,
    )


def killed(root, updates, kills, chance):
    """Train with so many kills; return where each fell: inside a write or not."""
    moments = []
    while len(moments) < kills:
        process = stretch(root, "killed", updates)
        checkpoints = root / "digits.resnet20" / "killed" / "checkpoints"
        before = set(checkpoints.glob("*.pt"))
        while process.poll() is None and not set(checkpoints.glob("*.pt")) - before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 2))
        if process.poll() is not None:
            raise SystemExit("the training ended before it was killed: give it more --updates")
        os.kill(process.pid, signal.SIGKILL)
        said = process.communicate()[0].split()
        moments.append(said[-1:] == ["writing"])
    return moments


def digests(folder):
    """Name what a run has left by its content."""
    names = ("weights/last.safetensors", "weights/best.safetensors", "results.csv")
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16] for name in names}


def main():
    options = parser(__doc__)
    options.add_argument("--kills", type=int, default=20)
    options.add_argument("--updates", type=int, default=2000)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        moments = killed(root, chosen.updates, chosen.kills, random.Random(chosen.seed))
        for name in ("killed", "straight"):
            stretch(root, name, chosen.updates).communicate()
        found = {name: digests(root / "digits.resnet20" / name) for name in ("straight", "killed")}
        left = [p.name for p in (root / "digits.resnet20" / "killed").rglob(".*")]
    rows = [[name, found["straight"][name], found["killed"][name]] for name in found["straight"]]
    equal = found["straight"] == found["killed"]
    body = "\n".join(
        [
            table(["file", "straight", "killed and resumed"], rows),
            "",
            f"{len(moments)} kills, {sum(moments)} of them inside a write; {chosen.updates} "
            f"updates of ResNet-20 on the digits, float32. Half-written files left: {len(left)}.",
            "",
            f"- equal to the last bit: **{'yes' if equal else 'NO'}**",
        ]
    )
    report("kill", body, write=chosen.write)


if __name__ == "__main__":
    main()
