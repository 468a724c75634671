"""Tests after a training, under the protocol of a claim; what was found is added to the record."""

import dataclasses
from pathlib import Path

from torch import nn

from residua import events, outcome, report, runs, runtime
from residua.config import encode
from residua.data.loading import Pictures
from residua.data.normalize import Normalize
from residua.data.views import Views
from residua.evaluate import Scores, scores
from residua.train.parallel import World


def look_again(folder: Path, views: Views, world: World) -> None:
    """Test the network of a run on its own test pictures, and record it as `evaluate` does.

    Args:
        folder: of a finished run.
        views: what is looked at.
        world: the processes that share the pictures.
    """
    trained = runs.load(folder)
    dtype = runtime.pick_dtype(trained.experiment.precision, world.device)
    images = trained.experiment.load_data().test
    asked = Asked(trained.net, images, trained.normalize)
    tested = asked.under(views, world, precision=trained.experiment.precision)
    if not world.leads:
        return
    events.Log(folder, file=events.EVALUATIONS).write(
        "evaluation",
        images="test",
        weights=trained.experiment.select,
        count=len(tested.labels),
        fingerprint=images.fingerprint(),
        views=encode(views),
        exact_norm=False,
        **outcome.tested(tested),
        environment=runtime.environment(world.device, dtype),
        command=runtime.command_line(),
    )
    if (folder / report.FILE).is_file():
        report.write(folder)


@dataclasses.dataclass(frozen=True)
class Asked:
    """A network and the pictures that it is asked about.

    Attributes:
        net: from N, C, H, W to N, K.
        images: the pictures.
        normalize: what the net was trained with.
    """

    net: nn.Module
    images: Pictures
    normalize: Normalize

    def under(self, views: Views, world: World, *, precision: runtime.Precision = "auto") -> Scores:
        """Score all pictures under a protocol, each process its part of them."""
        device, images = world.device, self.images
        dtype = runtime.pick_dtype(precision, device)
        net, normalize = self.net.to(device), self.normalize.to(device)
        mine = images if world.size == 1 else images.select(world.mine(len(images)))
        part = scores(net, mine.to(device), normalize, views=views, dtype=dtype)
        logits = world.gathered(part.logits, len(images))
        return dataclasses.replace(part, logits=logits, labels=images.labels.cpu())
