"""What every benchmark shares: its options, and a result file that says what made it."""

import argparse
import datetime
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from residua import execute, outcome
from residua.runtime import environment

HERE = Path(__file__).parent


def parser(description: str) -> argparse.ArgumentParser:
    """Make a parser with the options that every benchmark has."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--write", action="store_true", help="write the result beside the script")
    return made


def trained(experiment, root: Path, folder: str, net=None):
    """Train, or go on, or read what has been trained already; its result.

    Args:
        experiment: with a classifier or a detector.
        root: the folder of all runs.
        folder: the name of the run.
        net: that the run goes on with, where it was handed over in Python.
    """
    place = root / experiment.name / folder
    if not any(place.glob("checkpoints/*.pt")):
        return execute.run(experiment, root=root, name=folder, page=False)
    return outcome.recorded(place) or execute.resume(place, net=net, page=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Draw a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict(what: str, value: float, bound: float, *, at_most: bool) -> str:
    """Say whether a figure reaches its bound."""
    reached = value <= bound if at_most else value >= bound
    word = "at most" if at_most else "at least"
    return (
        f"- {what}: **{value:.2f}** ({word} {bound:g}: {'reached' if reached else 'NOT reached'})"
    )


def plain(word: str) -> str:
    """Leave out of a path where it is on this machine."""
    return Path(word).name if Path(word).is_absolute() else word


def report(theme: str, body: str, *, write: bool) -> None:
    """Print a result and, if asked, write it to `[theme]_[hardware]_[date].md`."""
    facts = environment(torch.device("cpu"), torch.float32)
    hardware = f"{facts['processor']}, {facts['cores']} cores, {facts['threads']} threads"
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    words = " ".join([f"bench/{Path(sys.argv[0]).name}", *map(plain, sys.argv[1:])])
    text = (
        f"# {theme}\n\n"
        f"- command: `python {words}`\n"
        f"- hardware: {hardware}\n"
        f"- versions: residua {facts['residua']} ({facts['code']}), torch {facts['torch']}, "
        f"Python {facts['python']}\n- date: {today}\n\n{body}\n"
    )
    print(text)
    if write:
        short = re.sub(r"[^a-z0-9]+", "-", str(facts["processor"]).lower()).strip("-")
        path = HERE / f"{theme.replace(' ', '-')}_{short}-{facts['cores']}-cores_{today}.md"
        path.write_text(text)
        print(f"written to {path}")
