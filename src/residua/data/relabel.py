"""A set of pictures with objects under the classes that a detector has learned.

Dimension key:
    T objects of all pictures
"""

import dataclasses
from collections.abc import Sequence

import torch

from residua.data.annotated import AnnotatedFiles, ObjectTable
from residua.errors import DataError


def relabelled(pictures: AnnotatedFiles, classes: Sequence[str]) -> AnnotatedFiles:
    """Number the objects of a set as a detector does; it need not have objects of all classes.

    Args:
        pictures: what is annotated under classes of its own.
        classes: K names that the detector knows.

    Returns:
        The same pictures. Where the annotation numbers its classes, a class that it does not have
        is number -1.

    Raises:
        DataError: it has classes that the detector does not know.
    """
    strange = [name for name in pictures.classes if name not in classes]
    if strange:
        more = f" and {len(strange) - 5} more" if len(strange) > 5 else ""
        raise DataError(
            f"the pictures have objects of the classes {', '.join(strange[:5])}{more}, which the "
            f"detector has not learned: it knows {', '.join(classes)}"
        )
    numbers = torch.tensor([0, *(classes.index(name) + 1 for name in pictures.classes)])
    held = pictures.table.held
    table = ObjectTable(
        dataclasses.replace(held, labels_R=numbers[held.labels_R]), pictures.table.starts
    )
    ids = dict(zip(pictures.classes, pictures.category_ids, strict=False))
    category_ids = tuple(ids.get(name, -1) for name in classes) if ids else ()
    return dataclasses.replace(
        pictures, table=table, classes=tuple(classes), category_ids=category_ids
    )
