"""`residua evaluate DETECTIONS.json --data PATH`: score what any detector found."""

import json
from pathlib import Path

from residua import files
from residua.cli.screen import say
from residua.data.annotated_part import Part, annotated_part
from residua.detect import results
from residua.detect.metrics import summarise, table
from residua.errors import ConfigError
from residua.report.detections import Scored, write_detections

SUFFIX = ".json"


def evaluate(
    file: Path,
    data: Path | None,
    *,
    part: Part,
    difficult: bool = False,
    save: Path | None = None,
    page: Path | None = None,
) -> None:
    """Print all numbers of detections.

    Args:
        file: of the detections, in the form in which COCO takes results.
        data: a VOC tree or COCO annotations.
        part: which pictures of it; where nothing says which are which, all are scored.
        difficult: count difficult objects where a number has no readings of its own.
        save: a JSON file for the numbers.
        page: a folder for the page with curves and pictures.

    Raises:
        ConfigError: the words do not fit together.
        DataError: the detections or the data cannot be read, or do not belong together.
        RunError: the numbers or the page cannot be written.
    """
    if save is not None and save.suffix != SUFFIX:
        raise ConfigError(f"--save must name a file that ends in {SUFFIX}, got {save}")
    if data is None:
        raise ConfigError(f"{file} needs --data: a VOC tree or COCO annotations to score it with")
    pictures, words = annotated_part(data, part)
    objects = [pictures.objects(index) for index in range(len(pictures))]
    ids = pictures.category_ids or None
    found = results.read(file, pictures.names, pictures.classes, categories=ids)
    summary = summarise(found, objects, pictures.classes, difficult=difficult)
    about = f"{summary.detections:,} detections of {file} in {summary.pictures:,} images: {words}"
    say(f"{table.text(summary)}\n\n{about}")
    if save is not None:
        files.write(save, json.dumps(summary.plain(), indent=2) + "\n")
        say(f"numbers: {save}")
    if page is not None:
        scored = Scored(pictures.names, found, objects, pictures.picture)
        title = f"{file.name} on {data.name}"
        made = write_detections(page, summary, scored, title=title, about=f"{about}.")
        say(f"page: {made}")
