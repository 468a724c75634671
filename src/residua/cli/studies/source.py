"""What the commands that look inside runs have in common: which runs, with which pictures."""

import dataclasses
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional

from residua import runs, runtime
from residua.lab.opened import Opened, open_runs
from residua.report.inside import About, Network

SMOKE_PICTURES = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Source:
    """The runs, the pictures to look at them with, and the machine.

    Attributes:
        run: folders of runs, or "last"; runs that differ in their seed alone are drawn as one line,
            others over one another.
        part: which of each run's own pictures; validation by default, test where there are none.
        pictures: how many of them at the most, drawn at random.
        threads: of the processor; by default all cores.
        device: auto, cpu, cuda, cuda:1 or mps.
        runs: the folder of all runs.
        smoke: look at as little as possible, to see that it works.
    """

    run: Annotated[tuple[str, ...], Positional] = ("last",)
    part: Literal["train", "validation", "test"] | None = None
    pictures: int = 512
    threads: int | None = None
    device: str = "auto"
    runs: Path = Path("runs")
    smoke: bool = False

    def open(self, weights: Literal["best", "last", "drawn"] | None) -> list[Opened]:
        """Open the runs."""
        runtime.set_threads(self.threads)
        return open_runs(
            [runs.find(word, self.runs) for word in self.run or ("last",)],
            part=self.part,
            pictures=min(self.pictures, SMOKE_PICTURES) if self.smoke else self.pictures,
            weights=weights,
            device=self.device,
        )

    def folder(self, study: str) -> Path:
        """Make the folder of a page."""
        return runs.create(self.runs, "lab", study)


def about(opened: list[Opened], weights: str | None) -> About:
    """Say what was looked at."""
    networks: dict[str, list[Opened]] = {}
    for each in opened:
        networks.setdefault(each.label, []).append(each)
    device = opened[0].batches[0].images.device
    return About(
        networks=[
            Network(
                label=label,
                folders=[str(each.folder) for each in some],
                part=some[0].part,
                pictures=some[0].pictures,
                there=some[0].there,
                fingerprint=some[0].fingerprint,
            )
            for label, some in networks.items()
        ],
        weights={"drawn": "untrained", None: "trained"}.get(weights, f"{weights}"),
        environment=runtime.environment(device, opened[0].batches[0].images.dtype),
        command=runtime.command_line(),
    )
