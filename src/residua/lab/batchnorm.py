"""The batch normalization of a run: examined, drawn, and mended with exact statistics."""

import copy
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from residua import report, runs, runtime
from residua.analyze.batchnorm import Examination, Examining, Measured, examine
from residua.analyze.norm_advice import advise
from residua.data.loading import Pictures
from residua.errors import ConfigError
from residua.evaluate import scores
from residua.evaluate.exact_norm import average_as_learned, average_unaugmented, views_for
from residua.evaluate.score import fit
from residua.runs import TrainedNet

# Pictures whose logits are compared before and after freezing and folding.
EXAMPLES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Examined:
    """What was found in a run, and the net that was mended.

    Args:
        found: of the net as it is.
        exact: a copy with exact statistics of the pictures as they were learned from.
        averaged: over what these are.
        unaugmented: what the net does with exact statistics of the pictures as they are.
        unaugmented_averaged: over what those are.
    """

    found: Examination
    exact: nn.Module
    averaged: str
    unaugmented: Measured
    unaugmented_averaged: str


def examine_run(
    trained: TrainedNet,
    images: Pictures,
    *,
    most: int = 2000,
    average_over: int = 10_000,
    how: Examining | None = None,
    dtype: torch.dtype = torch.float32,
) -> Examined:
    """Examine the batch normalization of the net of a run.

    Args:
        trained: the net, on the device to compute on.
        images: what errors are measured on.
        most: pictures of them, drawn at random.
        average_over: training pictures that exact statistics are averaged over, at most.
        how: to examine; by default with batches of 2, 4, 8, ... pictures.
        dtype: float32, or the type of autocast.

    Raises:
        ConfigError: too few pictures for batches, or no batch normalization that keeps statistics.
    """
    if min(len(images), most) < 4:
        raise ConfigError(f"batches of several sizes need at least 4 pictures, got {len(images)}")
    net, device = trained.net, _device(trained)
    images = _drawn(images, most).to(device)
    train = _drawn(trained.experiment.load_data().train, average_over).to(device)
    normalize = trained.normalize.to(device)
    serving = trained.experiment.serving_at_a_time(normalize)

    def measure(net: nn.Module, size: int | None, shuffle: int) -> Measured:
        order = _order(len(images), shuffle) if size else torch.arange(len(images))
        return _measured(net, trained, images, order, size=size, dtype=dtype)

    exact, plain = copy.deepcopy(net), copy.deepcopy(net)
    averaged = average_as_learned(exact, train, serving, dtype=dtype)
    unaugmented = average_unaugmented(plain, train, normalize, dtype=dtype)
    few = images.select(torch.arange(min(EXAMPLES, len(images))))
    found = examine(
        net,
        exact,
        next(_inputs(trained, few)),
        measure=measure,
        how=how or _usual(trained, len(images), images),
    )
    return Examined(
        found=found,
        exact=exact,
        averaged=averaged,
        unaugmented=measure(plain, None, 0),
        unaugmented_averaged=unaugmented,
    )


def write_exact(trained: TrainedNet, exact: nn.Module, path: Path) -> None:
    """Write the weights of a run with exact statistics, with all that is needed to use them.

    Args:
        trained: the run.
        exact: its net with exact statistics.
        path: of a new file; must end in .safetensors.

    Raises:
        ConfigError: the file exists, or its name ends otherwise.
    """
    if path.exists():
        raise ConfigError(f"{path} exists: weights are not overwritten, name another file")
    runs.save_net(
        exact,
        path,
        experiment=trained.experiment,
        classes=trained.classes,
        shape=trained.shape,
        normalize=trained.normalize,
    )


def page(folder: Path, examined: Examined, *, title: str, device: torch.device) -> Path:
    """Write the page, its figures and its numbers into a folder.

    Args:
        folder: exists already.
        examined: what `examine_run` returned.
        title: which run, and which pictures.
        device: where it was measured.

    Returns:
        The page.
    """
    return report.write_batchnorm(
        folder,
        examined.found,
        advise(examined.found),
        title=title,
        averaged=examined.averaged,
        unaugmented=(examined.unaugmented_averaged, examined.unaugmented),
        environment=runtime.environment(device, torch.float32),
        command=runtime.command_line(),
    )


def _usual(trained: TrainedNet, count: int, images: Pictures) -> Examining:
    """Take batches of 2, 4, 8, ... and the largest that fits, and the batch of the training."""
    experiment = trained.experiment
    together = experiment.batch_size // experiment.accumulate
    largest = min(count, fit(views_for(images).looks(images.shape)))
    doubled = [2**power for power in range(1, largest.bit_length())]
    chosen = {size for size in (*doubled, together, largest) if 2 <= size <= largest}
    return Examining(sizes=tuple(sorted(chosen)), trained_with=together)


def _measured(
    net: nn.Module,
    trained: TrainedNet,
    images: Pictures,
    order: Tensor,
    *,
    size: int | None,
    dtype: torch.dtype,
) -> Measured:
    """Measure in batches of exactly `size`; the last is filled up with pictures from the front."""
    filled = torch.cat([order, order[: -len(order) % size]]) if size else order
    found = scores(
        net,
        images.select(filled),
        trained.normalize,
        views=views_for(images),
        dtype=dtype,
        batch_size=size,
    )
    found = dataclasses.replace(
        found, logits=found.logits[: len(order)], labels=found.labels[: len(order)]
    )
    wrong_N = torch.empty(len(order), dtype=torch.bool)
    wrong_N[order] = found.predictions != found.labels
    return Measured(loss=found.loss, wrong_N=wrong_N)


def _inputs(trained: TrainedNet, images: Pictures) -> Iterator[Tensor]:
    normalize = trained.normalize.to(_device(trained))
    for view in views_for(images).looks(images.shape).passes:
        for viewed in images.viewed(view, len(images)):
            yield normalize(viewed.flatten(0, 1).to(_device(trained)))


def _drawn(images: Pictures, most: int) -> Pictures:
    if len(images) <= most:
        return images
    return images.select(_order(len(images), "drawn")[:most])


def _order(count: int, name: int | str) -> Tensor:
    return torch.randperm(count, generator=runtime.generator(0, "batch norm", name))


def _device(trained: TrainedNet) -> torch.device:
    found = next(trained.net.parameters(), None)
    return torch.device("cpu") if found is None else found.device
