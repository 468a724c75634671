"""One's own pictures: a folder of them as a data set, in memory or read from the files.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, section 3.4.
"""

import warnings
from collections import Counter
from pathlib import Path
from typing import Literal

import torch

from residua import runtime
from residua.config import settings
from residua.data.divide import Divided, divide
from residua.data.fileset import FileSet
from residua.data.fit import Center, Crop, Fit, ScaleJitterCrop, Whole
from residua.data.images import ImageSet
from residua.data.loading import Splits
from residua.data.pictures import Unread, read_all
from residua.data.recognise import Layout, Part, held_out, recognise
from residua.data.verify import readable
from residua.errors import ConfigError, DataError, DataWarning

MOST_WORKERS = 16
LISTED = 5


@settings
class FolderConfig:
    """A folder of pictures that fit into memory: each is read once, at one size.

    Attributes:
        path: of the folder; `residua.data.recognise` says how it may be laid out.
        size: height and width in pixels.
        channels: 3, or 1 for grey.
        fit: which part of a picture is read.
        validation: share that is kept to choose with where the folders do not say; 0 for none.
        test: share that is kept to test on, likewise.
        max_unreadable: share of the files that may be no pictures; they are listed and left out.
    """

    kind: Literal["folder"] = "folder"
    path: str = ""
    size: int = 128
    channels: Literal[1, 3] = 3
    fit: Fit = Center()
    validation: float = 0.15
    test: float = 0.15
    max_unreadable: float = 0.01

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W of a picture."""
        return self.channels, self.size, self.size

    def load(self) -> Splits:
        """Read all pictures.

        Raises:
            DataError: the folder has no layout that is known, or too many files are no pictures.
            ConfigError: the size or a share is out of range.
        """
        _check(self.path, self.size)
        layout = recognise(self.path)
        divided = divide(layout, validation=self.validation, test=self.test)
        parts = _parts(divided)
        read: list[tuple[torch.Tensor, torch.Tensor]] = []
        faults: list[Unread] = []
        for part in parts:
            paths = [layout.root / name for name in part.names]
            images, unread = read_all(paths, self.shape, self.fit)
            kept = torch.ones(len(part), dtype=torch.bool)
            kept[[fault.index for fault in unread]] = False
            faults += unread
            labels = torch.tensor(part.labels)
            read.append((images[kept], labels[kept]) if unread else (images, labels))
        _tell(faults, sum(map(len, parts)), self.max_unreadable)
        return _splits([ImageSet(*pair, layout.classes) for pair in read])


@settings
class FilesConfig:
    """A folder of pictures that are read from their files for every batch, by workers.

    Attributes:
        path: of the folder; `residua.data.recognise` says how it may be laid out.
        size: height and width of what the network sees, in pixels.
        channels: 3, or 1 for grey.
        crop: which part of a picture is learned from.
        fit: which part is tested; by default the middle 224 of a shorter side of 256 ([R]).
        validation: share that is kept to choose with where the folders do not say; 0 for none.
        test: share that is kept to test on, likewise.
        max_unreadable: share of the files that may be no pictures. Those to choose with and to test
            on are read once at the start, as `residua.data.verify` says, and are listed and left
            out; those to learn from are told when they are met.
        workers: processes that read; by default one for each core that is this process's, and at
            most 16. Their number changes no result.
    """

    kind: Literal["files"] = "files"
    path: str = ""
    size: int = 224
    channels: Literal[1, 3] = 3
    crop: Crop = ScaleJitterCrop()
    fit: Center = Center(share=0.875)
    validation: float = 0.15
    test: float = 0.15
    max_unreadable: float = 0.01
    workers: int | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """C, H, W of a picture."""
        return self.channels, self.size, self.size

    def load(self) -> Splits:
        """List all pictures; of those held out, see whether they can be read.

        Raises:
            DataError: the folder has no layout that is known, or too many of the files that are
                held out are no pictures.
            ConfigError: the size, a share, the crop or the number of workers is out of range.
        """
        _check(self.path, self.size)
        self.crop.check((self.size, self.size))
        workers = min(runtime.own_cores(), MOST_WORKERS) if self.workers is None else self.workers
        if workers < 0:
            raise ConfigError(f"data.workers must be at least 0, got {workers}")
        layout = recognise(self.path)
        divided = divide(layout, validation=self.validation, test=self.test)
        learned, *held_out = _parts(divided)
        left, faults = [learned], list[Unread]()
        for part in held_out:
            kept, unread = readable(layout, part, self.channels, self.fit)
            if not len(kept):
                raise DataError(
                    f"none of {len(part):,} held-out files can be read; the first is "
                    f"{unread[0].why}"
                )
            left.append(kept)
            faults += unread
        _tell(faults, sum(map(len, held_out)), self.max_unreadable, "held-out files")
        return _splits([self._set(layout, part, workers) for part in left])

    def _set(self, layout: Layout, part: Part, workers: int) -> FileSet:
        return FileSet.of(
            part,
            root=layout.root,
            classes=layout.classes,
            shape=self.shape,
            fit=self.fit,
            crop=self.crop,
            workers=workers,
            max_unreadable=self.max_unreadable,
        )


def labelled(
    folder: Path, classes: tuple[str, ...], shape: tuple[int, int, int], like: object
) -> FileSet:
    """List pictures that a network is to be tested on, read as those it learned from.

    Args:
        folder: has class folders, or pictures and a label file in it or beside it.
        classes: that the network knows, in the order of its outputs.
        shape: C, H, W that it takes.
        like: settings of the data that it learned from.

    Raises:
        DataError: the folder is missing or empty, or has a class that the network does not know.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder")
    root = folder.resolve().parent
    part = held_out(root, folder.resolve(), classes, Counter())
    if part is None or not len(part):
        raise DataError(f"{folder} holds no pictures in sub-folders named after their classes")
    return FileSet.of(part, root=root, classes=classes, shape=shape, fit=fit_of(like))


def fit_of(data: object) -> Fit:
    """Return which part of a picture is looked at, by the settings of the data learned from."""
    return data.fit if isinstance(data, FolderConfig | FilesConfig) else Whole()


def _check(path: str, size: int) -> None:
    if not path:
        raise ConfigError("data.path is not set: say where the pictures are")
    if size < 1:
        raise ConfigError(f"data.size must be at least 1 pixel, got {size}")


def _parts(divided: Divided) -> list[Part]:
    parts = (divided.train, divided.test, divided.validation)
    return [part for part in parts if part is not None]


def _splits(sets: list[ImageSet] | list[FileSet]) -> Splits:
    """Put sets in the order of `_parts` into their places."""
    validation = sets[2] if len(sets) == 3 else None
    return Splits(train=sets[0], validation=validation, test=sets[1])


def _tell(unread: list[Unread], count: int, allowed: float, what: str = "files") -> None:
    """Warn of files that are no pictures, or refuse the folder if they are too many.

    Raises:
        DataError: they are more than the share that is allowed.
    """
    if not unread:
        return
    listed = "; ".join(fault.why for fault in unread[:LISTED])
    more = f"; and {len(unread) - LISTED:,} more" if len(unread) > LISTED else ""
    told = f"{len(unread):,} of {count:,} {what} cannot be read: {listed}{more}"
    if len(unread) > allowed * count:
        raise DataError(
            f"{told} (mend or remove them, or allow more than {100 * allowed:g} % with "
            "--data.max-unreadable)"
        )
    warnings.warn(f"{told}; they are left out", DataWarning, stacklevel=3)


def absolute(path: str | Path) -> str:
    """Return the path as a run records it: right from whatever folder it is resumed in."""
    return str(Path(path).expanduser().resolve())
