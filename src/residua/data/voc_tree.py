"""Where the pictures, annotations and lists of VOC trees lie, and how such a tree is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from residua import files
from residua.data import walk
from residua.data.objects import Annotated, AnnotatedSplits
from residua.data.pictures import SUFFIXES
from residua.data.recognise import NAMES
from residua.data.voc_xml import written
from residua.errors import DataError

PICTURES = ("jpegimages", "images")
ANNOTATIONS = ("annotations", "xmls")
# Bytes of a file in which its first tag stands.
HEAD = 1024


@dataclass(frozen=True)
class Tree:
    """Pictures and annotations of one tree.

    Args:
        root: of the tree.
        pictures: path of each picture by its stem.
        annotations: path of each annotation by its stem.
        lists: path of each list of ImageSets/Main by its name.
    """

    root: Path
    pictures: Mapping[str, Path] = field(repr=False)
    annotations: Mapping[str, Path] = field(repr=False)
    lists: Mapping[str, Path] = field(repr=False)

    @property
    def name(self) -> str:
        """Name of its folder."""
        return self.root.name

    def annotation(self, stem: str) -> Path | None:
        """Return where an annotation lies; None if there is none."""
        return self.annotations.get(stem)

    def picture(self, stem: str) -> Path:
        """Return where a picture lies, or the first place where it was looked for."""
        beside = next(iter(self.pictures.values()), self.root / "JPEGImages" / "x").parent
        return self.pictures.get(stem, beside / f"{stem}.jpg")

    def stems(self) -> list[str]:
        """List the annotated pictures."""
        return sorted(self.annotations)

    def parts(self, wanted: Mapping[str, str]) -> dict[str, list[str]]:
        """List the stems of each part whose list is there; of "all", where there are no lists.

        What is learned from, if it has no list of its own, is what no other part has. A list none
        of whose pictures is annotated, as that of a test kept secret, is none.

        Args:
            wanted: the name of the list of "train", "validation" and "test".
        """
        listed = {part: self._listed(name) for part, name in wanted.items()}
        found = {
            part: stems
            for part, stems in listed.items()
            if any(stem in self.annotations for stem in stems)
        }
        if not found:
            return {"all": self.stems()}
        if "train" not in found:
            held_out = {stem for stems in found.values() for stem in stems}
            rest = self._listed("trainval") or self.stems()
            found["train"] = [stem for stem in rest if stem not in held_out]
        return found

    def _listed(self, name: str) -> list[str]:
        """Read a list; of lists of one class, which have a second column, all pictures."""
        if name not in self.lists:
            return []
        lines = self.lists[name].read_text(errors="replace").splitlines()
        words = [line.split() for line in lines]
        return list(dict.fromkeys(_without_ending(line[0]) for line in words if line))


def find_trees(root: Path) -> tuple[Path, dict[str, list[Tree]]]:
    """Find the trees at a path, by the part that their folder is named after; "" for none.

    Returns:
        The folder that they lie in, and the trees.

    Raises:
        DataError: there is none.
    """
    if not root.is_dir():
        raise DataError(f"{root} is {'a file, not a folder' if root.exists() else 'not there'}")
    alone = _tree(root)
    if alone is not None:
        return root, {"": [alone]}
    inside = walk.folders(root)
    parts = {alias: part for part, aliases in NAMES.items() for alias in aliases}
    # Of folders named otherwise, pictures beside annotations may as well be those of a class.
    flat = [folder for folder in inside if folder.name.lower() in parts]
    trees = [_tree(folder, flat=folder in flat) for folder in inside]
    trees = [tree for tree in trees if tree is not None]
    if trees:
        named = [parts.get(tree.name.lower(), "") for tree in trees]
        if "train" not in named:
            return root, {"": trees}
        return root, {part: [tree] for part, tree in zip(named, trees, strict=True) if part}
    if len(inside) == 1:
        return find_trees(inside[0])
    raise DataError(
        f"{root} is no VOC tree: it should have the folders JPEGImages and Annotations, with an "
        "XML file in the second for each picture in the first"
    )


def is_tree(root: Path) -> bool:
    """Say whether a folder is one VOC tree, or holds several."""
    try:
        find_trees(root)
    except DataError:
        return False
    return True


def _tree(root: Path, *, flat: bool = True) -> Tree | None:
    """Return the tree that a folder is, if it is one.

    Args:
        root: the folder.
        flat: whether annotations may lie beside the pictures.
    """
    inside = {folder.name.lower(): folder for folder in walk.folders(root)}
    marked = next((inside[name] for name in ANNOTATIONS if name in inside), root)
    if marked == root and not flat:
        return None
    annotations = {path.stem: path for path in sorted(marked.glob("[!.]*.xml"))}
    if not annotations or not _is_annotation(next(iter(annotations.values()))):
        return None
    shown = next((inside[name] for name in PICTURES if name in inside), root)
    found = walk.pictures(shown, below=shown != root).pictures
    pictures = {Path(name).stem: shown / name for name in reversed(found)}
    if not pictures and shown == root:
        return None
    main = next((root / name for name in ("ImageSets/Main", "ImageSets")), root)
    lists = {path.stem: path for path in main.glob("[!.]*.txt")}
    return Tree(root, pictures, annotations, lists)


def _is_annotation(path: Path) -> bool:
    with path.open("rb") as file:
        return b"<annotation" in file.read(HEAD)


def _without_ending(name: str) -> str:
    ending = Path(name).suffix.lower()
    return name[: -len(ending)] if ending in SUFFIXES else name


def write_voc(splits: AnnotatedSplits, folder: str | Path) -> Path:
    """Write a set as a VOC tree: pictures as PNG, so that no pixel changes.

    Args:
        splits: the set; its parts become the lists train, val, trainval and test. Where two parts
            use one name, all names begin with that of their part.
        folder: where; it must not be there, or be empty.

    Raises:
        DataError: the folder holds something already.
        RunError: it cannot be written.
    """
    root = Path(folder).expanduser()
    if root.exists() and any(root.iterdir()):
        raise DataError(f"{root} is not empty: give a folder that is not there yet")
    parts: dict[str, Annotated] = {"train": splits.train, "test": splits.test}
    if splits.validation is not None:
        parts["val"] = splits.validation
    names = {part: [name.replace("/", "_") for name in held.names] for part, held in parts.items()}
    every = [name for listed in names.values() for name in listed]
    if len(set(every)) != len(every):
        names = {part: [f"{part}_{name}" for name in listed] for part, listed in names.items()}
    with files.explained(root):
        for inner in ("JPEGImages", "Annotations", "ImageSets/Main"):
            (root / inner).mkdir(parents=True, exist_ok=True)
        for part, held in parts.items():
            for index, name in enumerate(names[part]):
                _write_one(held, index, root, name)
        names["trainval"] = [*names["train"], *names.get("val", [])]
        for part, listed in names.items():
            text = "\n".join(listed) + "\n"
            (root / "ImageSets" / "Main" / f"{part}.txt").write_text(text)
    return root


def _write_one(held: Annotated, index: int, root: Path, name: str) -> None:
    pixels = held.picture(index).permute(1, 2, 0).numpy()
    # Noise does not shrink by trying harder.
    Image.fromarray(pixels).save(root / "JPEGImages" / f"{name}.png", compress_level=1)
    text = written(f"{name}.png", held.sizes[index], held.objects(index), held.classes)
    (root / "Annotations" / f"{name}.xml").write_text(text)
