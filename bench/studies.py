"""The papers' studies of shortcuts and activations, at a number of updates that is said.

Every study has a folder below --root; trainings that have ended there are read, not repeated, and
those that were stopped go on. Nothing is chosen with the test pictures, which every training looks
at once.
"""

import statistics
import tempfile
from pathlib import Path

from harness import parser, report, table
from residua.lab.activations import activations
from residua.lab.compared import compared
from residua.lab.ground import Length, ground
from residua.lab.shortcuts import shortcuts
from residua.lab.sweep import Manner, results
from residua.report.sweep import Row, finding, read

STUDIES = {"shortcuts": shortcuts, "activations": activations}


def progress(event):
    """Say which training begins."""
    if event["kind"] == "training":
        print(f"{event['number']} of {event['of']}: {event['name']} {event['seed']}", flush=True)


def row(entry):
    """One line of the table: the errors of a setting."""
    found = results(entry.runs)
    tests = [result.test_error for result in found]
    spread = f"{statistics.stdev(tests):.2f}" if len(tests) > 1 else ""
    mean = f"{statistics.mean(tests):.2f}" if tests else "none"
    train = f"{statistics.mean(r.train_error for r in found):.2f}" if found else "none"
    minutes = sum(result.seconds for result in found) / 60
    return [entry.name, str(len(tests)), train, mean, spread, f"{minutes:.1f}"]


def study(name, chosen, root):
    """Carry out one study; return its part of the result."""
    comparison = STUDIES[name](ground(chosen.data, "2016"), chosen.depth)
    length = Length(updates=chosen.updates, why=f"{chosen.updates:,} updates each")
    plan = comparison.plan(length, chosen.seeds)
    if chosen.smoke:
        plan = [each.smoke() for each in plan]
    folder = root / f"{name}_{chosen.data}{chosen.depth}_{chosen.updates}"
    folder.mkdir(parents=True, exist_ok=True)
    sweep = compared(comparison, plan, folder, length, Manner(listen=progress))
    rows = [Row(entry, [read(run) for run in entry.runs]) for entry in sweep.entries]
    columns = ["setting", "n", "training error %", "test error %", "std", "minutes in all"]
    head = [f"## {comparison.title}", "", f"{finding(rows)}. Page: {folder.name}/report.html", ""]
    printed = list(dict.fromkeys(name for entry in sweep.entries for name in entry.paper))
    lines = [[*row(e), *(e.paper.get(name, "") for name in printed)] for e in sweep.entries]
    return "\n".join([*head, table([*columns, *printed], lines), ""])


def main():
    options = parser(__doc__)
    options.add_argument("--data", default="digits")
    options.add_argument("--depth", type=int, default=56)
    options.add_argument("--updates", type=int, default=336)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--smoke", action="store_true")
    options.add_argument("--only", choices=sorted(STUDIES))
    options.add_argument("--root", type=Path, help="where the studies are kept")
    chosen = options.parse_args()
    names = [chosen.only] if chosen.only else list(STUDIES)
    with tempfile.TemporaryDirectory() as temporary:
        root = chosen.root or Path(temporary)
        told = [study(name, chosen, root) for name in names]
    body = f"{chosen.updates:,} updates of each training, data: {chosen.data}.\n\n"
    report("studies", body + "\n".join(told), write=chosen.write)


if __name__ == "__main__":
    main()
