"""Pictures annotated as COCO does: one JSON file for many pictures.

    FILE.json                                             one file, its pictures near it
    FOLDER/annotations/instances_train2014.json, FOLDER/train2014/...      the official layout
    FOLDER/annotations/instances.json, FOLDER/images/...                   one set, divided here
    FOLDER/{train,valid,test}/_annotations.coco.json                       pictures beside it

Categories are numbered as it pleases; here their labels are 1 to K in the order of those numbers.

Sources:
    [C] Lin et al., Microsoft COCO: Common Objects in Context, arXiv:1405.0312, and the page of its
        data format.
"""

from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

from residua.config import settings
from residua.data.coco_file import CocoFile, find_files, read
from residua.data.objects import AnnotatedSplits
from residua.data.oddities import Oddities
from residua.data.records import Record, Thing
from residua.data.survey import Sharing, Survey, Surveyed, surveyed, warn_of
from residua.errors import ConfigError


@settings
class CocoConfig:
    """Pictures annotated as COCO does.

    Attributes:
        path: of the folder, or of a JSON file.
        crowds: keep boxes that hold many objects: flagged, so that they are not learned from and
            what is found in them is neither right nor wrong.
        keep_empty: learn from pictures without objects too.
        validation_share: share to choose with, where no file says; 0 for none.
        test_share: share to test on, where no file says.
        max_unreadable: share of the pictures that may be missing or damaged.
    """

    kind: Literal["coco"] = "coco"
    path: str = ""
    crowds: bool = True
    keep_empty: bool = True
    validation_share: float = 0.15
    test_share: float = 0.15
    max_unreadable: float = 0.01

    def load(self) -> AnnotatedSplits:
        """Read all annotations, and of the pictures what they say of themselves.

        Raises:
            DataError: there is no such file, or too many of its pictures cannot be read.
            ConfigError: a share makes no sense.
        """
        found = self.surveyed()
        warn_of(found)
        return found.splits

    def surveyed(self) -> Surveyed:
        """Do the same, and return what is to be said of it."""
        sharing = Sharing(
            validation=self.validation_share,
            test=self.test_share,
            keep_empty=self.keep_empty,
            max_unreadable=self.max_unreadable,
        )
        return surveyed(survey(self), sharing)


def survey(config: CocoConfig) -> Survey:
    """Read the annotations of all parts.

    The classes are those of the file that is learned from; other files may number them otherwise.

    Raises:
        DataError: there are none, or a file does not hold what it should.
        ConfigError: the path is not set.
    """
    if not config.path:
        raise ConfigError("data.path is not set: say where the annotations are")
    odd = Oddities()
    root, files = find_files(Path(config.path).expanduser())
    read_files = {part: read(file, root, odd) for part, file in files.items()}
    learned = read_files.get("train") or next(iter(read_files.values()))
    numbers = sorted(learned.names)
    parts = {
        part: _records(file, crowds=config.crowds, odd=odd) for part, file in read_files.items()
    }
    return Survey(
        root=root,
        kind="a COCO file" if len(files) == 1 else "COCO files",
        classes=tuple(learned.names[number] for number in numbers),
        parts=parts,
        odd=odd,
        category_ids=tuple(numbers),
    )


def _records(file: CocoFile, *, crowds: bool, odd: Oddities) -> list[Record]:
    things: dict[int, list[Thing]] = defaultdict(list)
    for annotation in file.annotations:
        thing = _thing(annotation, file.names)
        if thing is None:
            odd.note("nameless", f"annotation {annotation.get('id', '?')} of {file.path.name}")
        elif crowds or not thing.crowd:
            things[annotation["image_id"]].append(thing)
    return [
        Record(
            name=str(image["id"]),
            path=file.picture(image["file_name"]),
            things=things.get(image["id"], []),
            stated=_stated(image),
        )
        for image in file.images
    ]


def _thing(annotation: dict[str, Any], names: dict[int, str]) -> Thing | None:
    """Read one annotation; None if its category or box is none."""
    name = names.get(annotation.get("category_id", -1))
    try:
        left, top, width, height = map(float, annotation["bbox"])
    except (KeyError, TypeError, ValueError):
        return None
    if name is None or "image_id" not in annotation:
        return None
    if not all(abs(edge) < float("inf") for edge in (left, top, width, height)):
        return None
    area = annotation.get("area")
    return Thing(
        name,
        (left, top, left + width, top + height),
        crowd=bool(annotation.get("iscrowd", 0)),
        area=float(area) if isinstance(area, int | float) else None,
    )


def _stated(image: dict[str, Any]) -> tuple[int, int] | None:
    height, width = image.get("height"), image.get("width")
    return (int(height), int(width)) if height and width else None
