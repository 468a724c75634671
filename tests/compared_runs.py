"""Records of runs to be compared, as they would be if they had been trained."""

import dataclasses
import json

import kept_runs

CODE = {"code": "abc1234", "torch": "2.15.0", "device": "cpu", "precision": "float32"}


def train(root, experiment, error, *, seed=0, name=None, epochs=(), environment=None, **changes):
    """Write the record of a finished run of a classifier.

    Args:
        root: the folder of all runs.
        experiment: what it was.
        error: of the test pictures, in percent; of the validation pictures it is one more.
        seed: of the run.
        name: of its folder.
        epochs: iteration, training and validation error of each.
        environment: what is other than usual in it.
        changes: of the first event, or of the result by its own names.
    """
    seeded = dataclasses.replace(experiment, seed=seed)
    folder = kept_runs.record(root, seeded, error, name=name)
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    start, result = events[0], events[-1]
    start |= {"fingerprints": ["a", "b", "c"], "classes": list("0123456789")}
    start |= {"command": f"residua train {experiment.name} --seed {seed}"}
    start |= {"environment": CODE | (environment or {})}
    result |= {"validation_error": error + 1, "seconds": 2.0, "selected_iteration": 4}
    for event in (start, result):
        event |= {name: value for name, value in changes.items() if name in event}
    rows = [
        {"kind": "epoch", "time": 1.0, "iteration": at, "train_error": a, "validation_error": b}
        for at, a, b in epochs or ((2, 50.0, 60.0), (4, error / 2, error + 1))
    ]
    lines = [start, *rows, result]
    (folder / "events.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    return folder


def cut(folder):
    """Take the end of a run out of its record."""
    lines = (folder / "events.jsonl").read_text().splitlines()
    (folder / "events.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    return folder
