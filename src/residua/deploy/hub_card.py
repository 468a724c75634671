"""The card of a run that is given away: what its record says, and no more.

It is Markdown with a head of YAML, as model hubs show it.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from residua import runs
from residua.config import encode
from residua.data.folder import fit_of
from residua.detection_experiment import DetectionExperiment
from residua.nets.reading import read
from residua.nets.weights import card_of, preprocessing_of
from residua.report import record
from residua.report.manner import manner
from residua.report.page import phrase
from residua.report.record import Record
from residua.reproduce.kept import way_of
from residua.reproduce.markdown import table

# Numbers of a test, by their keys in a record.
OF_TESTS = {
    "test_error": "top-1 error",
    "top1_error": "top-1 error",
    "top5_error": "top-5 error",
    "test_map": "mAP@.5, area under the curve",
    "map_area": "mAP@.5, area under the curve",
    "map_11point": "mAP@.5, 11 points",
    "coco_ap": "COCO AP",
    "coco_ap50": "COCO AP50",
}
# Where pictures lie on the machine of whoever trained is nobody's business.
PLACES = frozenset({"path", "folder"})
TWO = [("what", False), ("", False)]


def card(folder: Path, repository: str) -> str:
    """Write the card of a run.

    Args:
        folder: of the run; its weights are there.
        repository: OWNER/NAME, from which it is pulled.

    Raises:
        CheckpointError: the folder has no record, or no weights.
    """
    found = record.read(folder)
    detects = found.start.get("task") == "detection"
    task = "object-detection" if detects else "image-classification"
    number = len(found.start["classes"])
    what = "A detector of" if detects else "A classifier of"
    return "\n".join(
        [
            *("---", "library_name: residua", f"pipeline_tag: {task}", "tags:", "- residua", "---"),
            f"# {plain(found.start['recipe'])}, seed {found.start['seed']}",
            "",
            f"{what} {number:,} {'class' if number == 1 else 'classes'}, trained with Residua. "
            "All that follows is from the record of its run (`events.jsonl`, `config.yaml`), which "
            "lies beside this card.",
            *_section("Use", _use(repository)),
            *_section("Result", _result(found)),
            *_section("Pictures that it takes", _pictures(folder, found)),
            *_section("Classes", [", ".join(map(plain, found.start["classes"]))]),
            *_section("Learned from", _data(found)),
            *_section("Training", _training(found)),
        ]
    )


def plain(text: str) -> str:
    """Write text so that Markdown shows it as it is; `table` cares for vertical bars."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return re.sub(r"([\\`*_{}\[\]<>#~&$])", r"\\\1", shown)


def _section(heading: str, lines: Iterable[str]) -> list[str]:
    return ["", f"## {heading}", "", *lines]


def _use(repository: str) -> list[str]:
    commands = [f"residua pull {repository}", f"residua predict {repository} PICTURE"]
    return ["```sh", *commands, "```"]


def _result(found: Record) -> list[str]:
    """List every number with its protocol and how many images it was measured on."""
    if found.result is None:
        return [f"There is none: {plain(found.end)}."]
    rows = [*_numbers(found.result, "its own test images", found.result["test_count"])]
    for later in found.evaluations:
        images = f"{later.get('images')} images, weights {later.get('weights')}, tested again"
        rows += _numbers(later, images, later["count"])
    columns = [("number", False), ("", True), ("images", False), ("n", True), ("how", False)]
    return table(columns, rows)


def _numbers(event: dict[str, Any], images: str, count: int) -> Iterator[list[str]]:
    told = set()
    for key, name in OF_TESTS.items():
        if event.get(key) is not None and name not in told:
            told.add(name)
            how = plain(str(event.get("protocol", "")).removeprefix("top-1, "))
            yield [name, f"{event[key]:.2f} %", plain(images), f"{count:,}", how]


def _pictures(folder: Path, found: Record) -> list[str]:
    """Say what is done to a picture before the net takes it."""
    experiment = runs.read_experiment(folder)
    path = runs.weights_file(folder, experiment.select)
    preprocessing = preprocessing_of(card_of(read(path)[1], path))
    if isinstance(experiment, DetectionExperiment):
        rows = {"resized": phrase(encode(experiment.resize))}
    else:
        shape = " × ".join(map(str, found.start["shape"]))
        rows = {
            "channels, height, width": shape,
            "part of a picture": phrase(encode(fit_of(experiment.data))),
        }
    if preprocessing is not None:
        rows |= preprocessing.rows()
    if len(found.start["mean"]) == 1:
        rows["channels"] = "grey"
    return table(TWO, [[name, plain(text)] for name, text in rows.items()])


def _data(found: Record) -> list[str]:
    start = found.start
    settings = found.settings["data"]
    if isinstance(settings, dict):
        settings = {name: value for name, value in settings.items() if name not in PLACES}
    learned, validated, tested = start["sizes"]
    rows = {
        "set": phrase(settings),
        "images": f"{learned:,} to learn from, {validated:,} to choose with, {tested:,} to test on",
        "fingerprints": ", ".join(start.get("fingerprints", ())),
        "not as its authors distribute it": ", ".join(
            (start.get("origin") or {}).get("foreign", ())
        ),
    }
    return table(TWO, _told(rows))


def _training(found: Record) -> list[str]:
    processes = found.start["environment"].get("processes", 1)
    rows = {
        "network": phrase(found.settings["net"]),
        "parameters": f"{found.parameters:,}",
        "multiply-adds": f"{found.multiply_adds:,} an image",
        "schedule": phrase(found.settings["schedule"]),
        "manner": "; ".join(manner(found.settings, processes=processes)),
    }
    # These are written for Markdown already.
    way = way_of(found)
    known = [[name, way[name]] for name in way if way[name] and name != "pictures"]
    return table(TWO, [*_told(rows), *known])


def _told(rows: dict[str, str]) -> Sequence[list[str]]:
    return [[name, plain(text)] for name, text in rows.items() if text]
