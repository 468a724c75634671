"""Pictures annotated as VOC does: one XML file each, and lists that say which part they are of.

    TREE/JPEGImages, TREE/Annotations, TREE/ImageSets/Main/{train,val,trainval,test}.txt
    TREES/{VOC2007,VOC2012}/...             several, used together
    FOLDER/a.jpg, FOLDER/a.xml              pictures and annotations side by side
    FOLDER/{train,valid,test}/...           any of these for each part

Sources:
    [V] Everingham et al., The PASCAL Visual Object Classes Challenge 2007, development kit.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from residua.config import settings
from residua.data.objects import AnnotatedSplits
from residua.data.oddities import Oddities
from residua.data.records import Record, Thing
from residua.data.survey import Sharing, Survey, Surveyed, surveyed, warn_of
from residua.data.voc_tree import Tree, find_trees
from residua.data.voc_xml import Annotation, Pixels, guess_pixels, read_annotation, to_half_open
from residua.errors import ConfigError, DataError

PIXELS_SAID = {
    "voc": "pixels numbered from 1, the last one inside, as VOC has them",
    "zero": "pixels numbered from 0, the last one inside (VOC numbers them from 1)",
    "half_open": "pixels numbered from 0, the last one outside (VOC numbers them from 1)",
}


@settings
class VocConfig:
    """A tree of pictures annotated as VOC does.

    Attributes:
        path: of the tree, or of a folder of several.
        train: the list to learn from: "train", or "trainval" as in the papers.
        validation: the list to choose with; "" for none.
        test: the list to test on.
        classes: names in the order of their labels; by default all that occur, sorted, which for
            VOC's twenty is their usual order.
        difficult: what becomes of difficult objects: flagged ones are neither learned from nor, by
            default, counted; used ones are like all others.
        pixels: what the numbers of a box mean; "auto" looks at the boxes that touch an edge.
        keep_empty: learn from pictures without objects too.
        validation_share: share to choose with, where no list says; 0 for none.
        test_share: share to test on, where no list says.
        max_unreadable: share of pictures and annotations that may be missing or damaged.
    """

    kind: Literal["voc"] = "voc"
    path: str = ""
    train: str = "train"
    validation: str = "val"
    test: str = "test"
    classes: tuple[str, ...] = ()
    difficult: Literal["flag", "use", "drop"] = "flag"
    pixels: Literal["auto", "voc", "zero", "half_open"] = "auto"
    keep_empty: bool = True
    validation_share: float = 0.15
    test_share: float = 0.15
    max_unreadable: float = 0.01

    def load(self) -> AnnotatedSplits:
        """Read all annotations, and of the pictures what they say of themselves.

        Raises:
            DataError: there is no such tree, or too many of its files cannot be read.
            ConfigError: a list or a share makes no sense.
        """
        found = self.surveyed()
        warn_of(found)
        return found.splits

    def surveyed(self) -> Surveyed:
        """Do the same, and return what is to be said of it."""
        sharing = Sharing(
            validation=self.validation_share if self.validation else 0.0,
            test=self.test_share,
            keep_empty=self.keep_empty,
            max_unreadable=self.max_unreadable,
        )
        return surveyed(survey(self), sharing)


@dataclass(frozen=True)
class _Read:
    """An annotation that was read, and whose it is."""

    name: str
    picture: Path
    annotation: Annotation


def survey(config: VocConfig) -> Survey:
    """Read the annotations of a tree, or of several.

    Raises:
        DataError: there is none, or too many annotations cannot be read.
        ConfigError: the path is not set, or a picture would be learned from and chosen with.
    """
    if not config.path:
        raise ConfigError("data.path is not set: say where the pictures and annotations are")
    if config.train == "trainval" and config.validation == "val":
        raise ConfigError(
            "data.train trainval holds the pictures of data.validation val: set one of them to "
            'something else (data.validation "" chooses with none)'
        )
    odd = Oddities()
    root, by_part = find_trees(Path(config.path).expanduser())
    trees = [tree for part in by_part.values() for tree in part]
    lists = {"train": config.train, "validation": config.validation, "test": config.test}
    files: dict[str, list[tuple[str, Path, Path]]] = {}
    for part, inside in by_part.items():
        for tree in inside:
            wanted = {part: tree.stems()} if part else tree.parts(lists)
            for name, stems in wanted.items():
                prefix = f"{tree.name}/" if len(trees) > 1 else ""
                files.setdefault(name, []).extend(_existing(tree, stems, prefix, odd))
    if len(files) > 1:
        # A tree without lists, beside others that have some, is learned from.
        files.setdefault("train", []).extend(files.pop("all", []))
    read = {part: _read(listed, config.max_unreadable, odd) for part, listed in files.items()}
    everything = [found for part in read.values() for found in part]
    pixels = config.pixels
    if pixels == "auto":
        pixels = guess_pixels(found.annotation for found in everything)
    return Survey(
        root=root,
        kind=_kind(trees, by_part),
        classes=config.classes or _classes(everything, root),
        parts={part: _records(listed, config, pixels, odd) for part, listed in read.items()},
        odd=odd,
        remarks=() if pixels == "voc" else (PIXELS_SAID[pixels],),
    )


def _kind(trees: Sequence[Tree], by_part: dict[str, list[Tree]]) -> str:
    if len(trees) == 1:
        return "a VOC tree"
    names = ", ".join(tree.name for tree in trees)
    return f"VOC annotations in {names}" if set(by_part) != {""} else f"VOC trees ({names})"


def _existing(
    tree: Tree, stems: Iterable[str], prefix: str, odd: Oddities
) -> list[tuple[str, Path, Path]]:
    """List name, annotation and expected picture of the stems that are annotated."""
    found = []
    for stem in stems:
        annotation = tree.annotation(stem)
        if annotation is None:
            odd.note("unannotated", f"{prefix}{stem}")
        else:
            found.append((f"{prefix}{stem}", annotation, tree.picture(stem)))
    return found


def _read(
    listed: Sequence[tuple[str, Path, Path]], max_unreadable: float, odd: Oddities
) -> list[_Read]:
    """Read annotations with all cores.

    Raises:
        DataError: too many cannot be read.
    """

    def attempt(path: Path) -> Annotation | DataError:
        try:
            return read_annotation(path)
        except DataError as error:
            return error

    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(attempt, (annotation for _, annotation, _ in listed)))
    found: list[_Read] = []
    faults: list[str] = []
    for (name, _, picture), answer in zip(listed, answers, strict=True):
        if isinstance(answer, DataError):
            faults.append(str(answer))
            odd.note("unannotated", name)
            continue
        if answer.nameless:
            odd.note("nameless", name, answer.nameless)
        said = Path(answer.filename.replace("\\", "/")).name
        beside = picture.with_name(said) if said else picture
        found.append(_Read(name, picture if picture.is_file() else beside, answer))
    if faults and not found:
        raise DataError(f"none of {len(listed):,} annotations can be read: {faults[0]}")
    if len(faults) > max_unreadable * len(listed):
        raise DataError(
            f"{len(faults):,} of {len(listed):,} annotations cannot be read: {faults[0]} (mend or "
            f"remove them, or allow more than {100 * max_unreadable:g} % with "
            "--data.max-unreadable)"
        )
    return found


def _classes(read: Sequence[_Read], root: Path) -> tuple[str, ...]:
    names = {marked.name for found in read for marked in found.annotation.marked}
    if not names:
        raise DataError(f"{root} has {len(read):,} annotations, but none has an object")
    return tuple(sorted(names))


def _records(
    read: Sequence[_Read], config: VocConfig, pixels: Pixels, odd: Oddities
) -> list[Record]:
    flagged = config.difficult == "flag"
    return [
        Record(
            name=found.name,
            path=found.picture,
            things=[
                Thing(marked.name, to_half_open(marked.box, pixels), marked.difficult and flagged)
                for marked in found.annotation.marked
                if config.difficult != "drop" or not marked.difficult
            ],
            stated=found.annotation.size,
        )
        for found in read
    ]
