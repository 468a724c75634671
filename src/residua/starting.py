"""The weights that a training starts from: a file, or what torchvision offers for the net."""

from pathlib import Path

from torch import nn

from residua.data.download import Remote
from residua.data.place import cache, obtain, one_at_a_time
from residua.errors import CheckpointError, ConfigError
from residua.nets import weights
from residua.nets.catalogue import NetConfig
from residua.nets.channel_order import in_rgb
from residua.nets.convert import check_computation
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import Preprocessing
from residua.nets.vgg import VggConfig

TORCHVISION = "torchvision"


def config_of(source: str) -> NetConfig:
    """Tell which net weights are of; the smallest that torchvision has, for "torchvision".

    Raises:
        ConfigError: they are of a net that was handed over in Python.
        CheckpointError: no such file, no weights in it, or it does not say of which net they are.
    """
    return ImagenetConfig(depth=18) if source == TORCHVISION else weights.contents(source).config


def start(
    net: nn.Module, source: str, config: object, classes: tuple[str, ...]
) -> Preprocessing | None:
    """Take over the weights of a file; the head only if it tells the same classes apart.

    Args:
        net: changed in place.
        source: a file, or "torchvision".
        config: the settings of the net.
        classes: that the net is to tell apart.

    Returns:
        What pictures the weights are for, in RGB and [0, 1], if the file says so: a net that took
        others is turned.

    Raises:
        CheckpointError: no such file, or its weights are of another net.
        ConfigError: torchvision has no weights for the net, or they were trained on pictures that
            ours cannot be brought to.
        DataError: they could not be fetched.
    """
    path = offered(net, config) if source == TORCHVISION else Path(source)
    return take_over(net, weights.contents(path), classes)


def take_over(
    net: nn.Module, given: weights.Contents, classes: tuple[str, ...]
) -> Preprocessing | None:
    """Take over weights that have been read, as `start` does."""
    known = given.card.get("classes")
    if known is not None:
        found = weights.fitted(given, net, head=tuple(known) == classes)
    else:
        try:
            found = weights.fitted(given, net)
        except CheckpointError:
            found = weights.fitted(given, net, head=False)
    told = found.preprocessing
    if told is None:
        return None
    if told.first:
        raise ConfigError(
            f"the weights of {given.path} were trained on pictures that were {told.first} first, "
            "which those of another training are not: start from weights of plain pictures"
        )
    return told if (told.channels, told.range) == ("RGB", 1.0) else in_rgb(net, told)


def offered(net: nn.Module, config: object) -> Path:
    """Return the file of torchvision's weights for a net, once it is known that they fit.

    Raises:
        CheckpointError: torchvision's net of that name computes something else.
        ConfigError: it has none.
        DataError: they could not be fetched.
    """
    _name_in_torchvision(config)
    check_computation(net, "torchvision")
    return fetched(config)


def fetched(config: object) -> Path:
    """Return the file of torchvision's first weights for a net, fetched if it is not there."""
    from torchvision.models import get_model_weights

    name = _name_in_torchvision(config)
    try:
        url = get_model_weights(name)["IMAGENET1K_V1"].url
    except (KeyError, ValueError):
        raise ConfigError(f"torchvision has no weights called {name}") from None
    file = url.rpartition("/")[2]
    checksum = file.rpartition("-")[2].removesuffix(".pth")
    path = cache() / "weights" / file
    with one_at_a_time(path.parent):
        if not path.exists():
            obtain(Remote((url,), f"sha256:{checksum}"), path)
    return path


def _name_in_torchvision(config: object) -> str:
    match config:
        case ImagenetConfig(widen=1.0, depth=depth):
            return f"resnet{depth}"
        case ImagenetConfig(widen=2.0, depth=depth):
            return f"wide_resnet{depth}_2"
        case VggConfig(widen=1.0, depth=depth):
            return f"vgg{depth}"
        case _:
            raise ConfigError(
                "torchvision has weights for imagenet and vgg nets of the usual widths; give a "
                "file with --weights for others"
            )
