"""`residua show`: the conformance card of a network, alone or against another."""

import dataclasses
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import torch
from torch import nn
from tyro.conf import Positional

from residua import recipes, runtime
from residua.cli import show_detector
from residua.cli.options import parse
from residua.cli.screen import layers_table, say, table
from residua.data.loading import Pictures
from residua.data.normalize import (
    ChannelStats,
    FixedStats,
    Normalization,
    Normalize,
    PixelMean,
    Scale,
)
from residua.data.place import nothing_fetched
from residua.detection_experiment import DetectionExperiment
from residua.errors import ConfigError, ResiduaError
from residua.experiment import Experiment
from residua.nets import catalogue
from residua.nets.card import Card, card, differences
from residua.nets.initialize import INITIALIZATION
from residua.nets.preprocessing import Preprocessing
from residua.train.memory import choose, smallest
from residua.train.memory import size as human
from residua.train.optimize import SgdConfig
from residua.train.profile import profile

PHOTO = (3, 224, 224)


@dataclasses.dataclass(frozen=True)
class Options:
    """Print what a network is, line by line: residua show NET [--against OTHER] [--batch 128].

    A network is named as `residua list` names it, by a recipe, or as package:attribute for one of
    another library, such as torchvision:resnet50. Of a recipe with a detector, its parts, counts
    and schedule are told.

    Attributes:
        net: the name of the network.
        against: the name of another; only what differs is printed.
        size: channels x height x width of a picture, such as 3x224x224; by default what the
            network was made for, and 3x224x224 for one of another library.
        batch: pictures of a training step, whose memory and time on this device are predicted.
        device: auto, cpu, cuda, cuda:1 or mps; of the prediction.
    """

    net: Annotated[str, Positional]
    against: str | None = None
    size: str | None = None
    batch: int | None = None
    device: str = "auto"


def main(words: Sequence[str]) -> None:
    """Print a card, or the differences of two."""
    options = parse("show", Options, words)
    options = dataclasses.replace(options, net=_full(options.net))
    if options.batch is not None:
        _check_batch(options)
    described = _card(options.net, options.size)
    if options.against is not None:
        _print_differences(described, _card(_full(options.against), options.size))
        return
    layers_table(map(dataclasses.asdict, described.layers))
    say("")
    table(described.name, [("", False), ("", False)], map(list, described.facts.items()))
    if options.batch is not None:
        say(f"\n{_prediction(options, options.batch, described.facts['input'])}")


def _full(name: str) -> str:
    """Return the whole name of a recipe for a short one that no network and no other has."""
    nets = {*catalogue.NETS, *(each.partition(".")[2] for each in catalogue.NETS)}
    full = [each for each in recipes.names() if each.partition(".")[2] == name]
    return full[0] if len(full) == 1 and name not in nets else name


def _check_batch(options: Options) -> None:
    if options.batch is not None and options.batch < 1:
        raise ConfigError(f"batch must be at least 1, got {options.batch}")
    if options.net in recipes.names() and isinstance(
        recipes.find(options.net), DetectionExperiment
    ):
        raise ConfigError(
            f"{options.net} is a detector, whose training step is not predicted: leave out --batch "
            "(residua train --dry-run times some updates)"
        )


def _prediction(options: Options, batch: int, size: str) -> str:
    """Predict a training step of SGD with momentum, in the precision of this device."""
    device = runtime.pick_device(options.device)
    dtype = runtime.pick_dtype("auto", device)
    seen = profile(
        _built(options.net),
        _parse_size(size) or PHOTO,
        batch=batch,
        device=device,
        dtype=dtype,
        make_optimizer=SgdConfig().build,
    )
    precision = str(dtype).removeprefix("torch.")
    plan = choose(seen, batch)
    least = human(smallest(seen, batch))
    return (
        f"{plan.prediction()}, on {device.type} in {precision} with SGD and momentum\n"
        f"recomputing all activations it would take {least} (residua train --memory)"
    )


def _built(name: str) -> nn.Module:
    if ":" in name:
        return _stranger(name)
    with torch.device("meta"):
        if name in recipes.names():
            return recipes.find(name).build_net()
        return catalogue.find(name).build()


def _card(name: str, size: str | None) -> Card:
    if ":" in name:
        return card(_stranger(name), _parse_size(size) or PHOTO, name=name)
    if name in recipes.names():
        return _card_of_recipe(name, size)
    config = catalogue.find(name)
    shape = _parse_size(size) or config.input_shape
    bound = dict.fromkeys(("channel order", "pixel range", "mean", "std"), "its weights' or data's")
    return _with(card(_built(name), shape, name=name, initialization=INITIALIZATION), bound)


def _card_of_recipe(name: str, size: str | None) -> Card:
    """Describe a recipe's net, and what its data bring as far as that is known without a fetch."""
    experiment = recipes.find(name)
    if isinstance(experiment, DetectionExperiment):
        if size is not None:
            raise ConfigError(
                f"{name} is a detector, which takes pictures of any size and resizes them: leave "
                "out --size"
            )
        return show_detector.card(name, experiment)
    images = _at_hand(experiment)
    natural = getattr(experiment.net, "input_shape", PHOTO) if images is None else images.shape
    channels = natural[0]
    fitted = _fitted(experiment.normalize, images, channels)
    mean, std = ((0.0,) * channels, (1.0,) * channels) if fitted is None else fitted.numbers()
    described = card(
        _built(name),
        _parse_size(size) or natural,
        name=name,
        initialization=INITIALIZATION,
        preprocessing=Preprocessing(mean=mean, std=std),
    )
    return _with(described, dict.fromkeys(("mean", "std"), "its data's") if fitted is None else {})


def _at_hand(experiment: Experiment) -> Pictures | None:
    """Return the pictures that a recipe learns from; None if they are not on this machine."""
    with nothing_fetched(), suppress(ResiduaError):
        return experiment.load_data().train
    return None


def _fitted(kind: Normalization, images: Pictures | None, channels: int) -> Normalize | None:
    """Return mean and deviation where they are known, or quickly taken from the pictures."""
    match kind:
        case FixedStats() | Scale():
            return kind.fit(torch.zeros(1, channels, 1, 1, dtype=torch.uint8))
        case ChannelStats() | PixelMean() if images is not None:
            return kind.fit(images)
        case _:
            return None


def _with(described: Card, facts: dict[str, str]) -> Card:
    return dataclasses.replace(described, facts=described.facts | facts)


def _stranger(name: str) -> nn.Module:
    """Build a network of another library; what it takes as its size is not known to us."""
    made = recipes.imported(name, also_in=("models",))
    with torch.device("meta"):
        net = made if isinstance(made, nn.Module) else made()
    if not isinstance(net, nn.Module):
        raise ConfigError(f"{name} made {type(net).__name__}, not a torch.nn.Module")
    return net


def _parse_size(text: str | None) -> tuple[int, int, int] | None:
    if text is None:
        return None
    found = re.fullmatch(r"(\d+)x(\d+)x(\d+)", text)
    if found is None:
        raise ConfigError(f"size must be channels x height x width like 3x224x224, got {text}")
    channels, height, width = map(int, found.groups())
    return channels, height, width


def _print_differences(one: Card, two: Card) -> None:
    lines = differences(one, two)
    if not lines:
        say(f"{one.name} and {two.name} do not differ")
        return
    columns = [("", False), (one.name, False), (two.name, False)]
    table("differences", columns, [[line.what, line.this, line.other] for line in lines])
