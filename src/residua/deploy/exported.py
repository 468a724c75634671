"""What an export came to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from residua.deploy.convert.formats import Format
from residua.deploy.convert.parity import Parity
from residua.deploy.convert.parity_of_detections import ParityOfDetections


@dataclass(frozen=True, kw_only=True)
class Exported:
    """Files that hold the net of a run.

    Attributes:
        to: their format.
        files: the first is the one to load.
        takes: what goes in, in words.
        gives: what comes out, in words.
        preprocessing: where it is, in words.
        parity: how far the file is from the net; None if it was not compared.
        compared_on: the pictures of the comparison, in words.
        notes: what is not in the file, and what else a user should know, in sentences.
    """

    to: Format
    files: Sequence[Path]
    takes: str
    gives: str
    preprocessing: str
    parity: Parity | ParityOfDetections | None
    compared_on: str
    notes: Sequence[str] = ()

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.files)
