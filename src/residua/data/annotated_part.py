"""One part of a set with annotated objects as its files have it, to score detections with.

What is to be scored is not divided: where nothing tells parts apart, all pictures are meant.
"""

import warnings
from pathlib import Path
from typing import Literal

from residua.data import coco, voc
from residua.data.annotated import AnnotatedFiles
from residua.data.coco import CocoConfig
from residua.data.recognise_objects import recognise_objects
from residua.data.records import assemble, look, unreadable
from residua.data.survey import Survey
from residua.data.voc import VocConfig
from residua.errors import ConfigError, DataError, DataWarning

Part = Literal["train", "validation", "test"]


def annotated_part(path: Path, part: Part) -> tuple[AnnotatedFiles, str]:
    """Read the pictures of one part of a set, or of all of one that has no parts.

    Args:
        path: of a VOC tree or COCO annotations.
        part: which; where the set has no test part, the validation part is tested on.

    Returns:
        The pictures, and a phrase that says which they are.

    Raises:
        DataError: there are no such annotations, or too many pictures cannot be read.
        ConfigError: it has parts, but not this one.
    """
    config = recognise_objects(path)
    if config is None:
        raise DataError(
            f"{path} is {'neither a VOC tree nor a COCO file' if path.exists() else 'not there'}: "
            "detections are scored with annotated boxes (docs/detections.md says which)"
        )
    survey = _survey(config)
    chosen = _chosen(part, [name for name, records in survey.parts.items() if records], path)
    looked = look(survey.parts[chosen], survey.odd)
    told = unreadable(looked.unread, len(survey.parts[chosen]), config.max_unreadable)
    found = assemble(looked, survey.classes, survey.odd, survey.category_ids)
    said = [*survey.remarks, *([told] if told else []), *survey.odd.sentences()]
    if said:
        warnings.warn(f"{path}: {'; '.join(said)}", DataWarning, stacklevel=2)
    words = "all" if chosen == "all" else f"the {chosen} part"
    return found, f"{words} of {path} ({survey.kind})"


def _survey(config: VocConfig | CocoConfig) -> Survey:
    match config:
        case VocConfig():
            return voc.survey(config)
        case CocoConfig():
            return coco.survey(config)


def _chosen(part: Part, there: list[str], path: Path) -> str:
    if there == ["all"] or part in there:
        return "all" if there == ["all"] else part
    if part == "test" and "validation" in there:
        return "validation"
    raise ConfigError(f"--part {part}: {path} has no such pictures, but {' and '.join(there)}")
