"""Settings of an export."""

from pathlib import Path
from typing import Literal

from residua.config import settings
from residua.deploy.convert.formats import ENDINGS, NEEDS, Format, Pixels, check_path
from residua.deploy.staging import check_free
from residua.errors import ConfigError
from residua.extras import require


@settings
class ExportPlan:
    """How the net of a run is written for other systems.

    Attributes:
        to: the format.
        out: the file; by default in the folder `export` of the run, by the name of its recipe.
        overwrite: replace files that are there.
        weights: "best" or "last"; by default those that the run was tested with.
        pixels: what a graph takes; both in [0, 255].
        check: pictures of the run to compare the file with the net on; by default 64, and 8 for
            detectors; 0 for no comparison.
        tolerance: the largest difference of a logit that is allowed, in units of the largest
            logit; of detectors, of a score.
        size: of detectors: height and width of what the graph takes, in pixels; by default what
            all pictures of the part that is compared on fit into.
    """

    to: Format = "onnx"
    out: Path | None = None
    overwrite: bool = False
    weights: Literal["best", "last"] | None = None
    pixels: Pixels = "uint8"
    check: int | None = None
    tolerance: float = 1e-3
    size: tuple[int, int] | None = None

    def path(self, folder: Path) -> Path:
        """Return where the first file goes, for the folder of a run.

        Raises:
            ConfigError: the ending is not that of the format.
        """
        if self.out is None:
            return folder / "export" / f"{folder.parent.name}{ENDINGS[self.to][0]}"
        check_path(self.to, self.out)
        return self.out

    def validate(self, folder: Path) -> Path:
        """Find what is wrong before anything is loaded, and return where the first file goes.

        Raises:
            ConfigError: a setting makes no sense, a package is missing, or a file exists.
        """
        if self.check is not None and self.check < 0:
            raise ConfigError(f"check must be at least 0, got {self.check}")
        if not self.tolerance > 0:
            raise ConfigError(f"tolerance must be above 0, got {self.tolerance}")
        require(f"--to {self.to}", NEEDS.get(self.to, ()))
        path = self.path(folder)
        check_free(path, ENDINGS[self.to], overwrite=self.overwrite)
        return path
