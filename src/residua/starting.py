"""The weights that a training starts from: a file, or what torchvision offers for the net."""

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from residua.data.download import Remote
from residua.data.normalize import Normalize
from residua.data.place import cache, obtain, one_at_a_time
from residua.detect.faster_rcnn import FasterRcnn
from residua.detect.settings import FasterRcnnConfig
from residua.errors import CheckpointError, ConfigError
from residua.nets import weights
from residua.nets.catalogue import NetConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import Preprocessing
from residua.nets.reading import read

TORCHVISION = "torchvision"


def config_of(source: str) -> NetConfig:
    """Tell which net weights are of; the smallest that torchvision has, for "torchvision".

    Raises:
        ConfigError: the file does not say, and its names do not either.
        CheckpointError: no such file, or no weights in it.
    """
    if source == TORCHVISION:
        return ImagenetConfig(depth=18)
    found = weights.load(source)
    if found.config is None:
        raise ConfigError(f"{source} does not say of which net its weights are: name a recipe")
    return found.config


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
        What pictures the weights were trained on, if the file says so.

    Raises:
        CheckpointError: no such file, or its weights are of another net.
        ConfigError: torchvision has no weights for the net, or they were trained on pictures of
            another range than ours.
        DataError: they could not be fetched.
    """
    path = fetched(config) if source == TORCHVISION else Path(source)
    _, metadata = read(path)
    known = weights.card_of(metadata, path).get("classes")
    if known is not None:
        found = weights.load(path, net, head=tuple(known) == classes)
    else:
        try:
            found = weights.load(path, net)
        except CheckpointError:
            found = weights.load(path, net, head=False)
    told = found.preprocessing
    if told is not None and (told.channels, told.range) != ("RGB", 1.0):
        raise ConfigError(
            f"{path} expects {told.channels} in [0, {told.range:g}], and pictures are read as RGB "
            "in [0, 1]: convert the weights first"
        )
    if told is not None and told.first:
        raise ConfigError(
            f"the weights of {path} were trained on pictures that were {told.first} first, which "
            "those of another training are not: start from weights of plain pictures"
        )
    return told


def start_detector(
    config: FasterRcnnConfig, source: str, classes: tuple[str, ...]
) -> tuple[FasterRcnn, Normalize | None]:
    """Build a detector on the weights of a classifier, or on those of a whole detector.

    Args:
        config: of the detector.
        source: a file, or "torchvision" for what it offers for the trunk.
        classes: that the detector is to tell apart.

    Returns:
        The detector, and what its pictures are brought into range with, if the file says so.

    Raises:
        CheckpointError: no such file, or its weights are of another net.
        ConfigError: torchvision has no weights for the trunk, or they are of other pictures.
        DataError: they could not be fetched.
    """
    if source != TORCHVISION:
        state, metadata = read(Path(source))
        card = weights.card_of(metadata, Path(source))
        if card.get("task") == "detection":
            return _whole_detector(config, Path(source), state, card), _range(card)
    classifier = config.trunk.build()
    told = start(classifier, source, config.trunk, ())
    known = None if told is None else Normalize.of(told.mean, told.std)
    return config.build_on(classifier), known


def _whole_detector(
    config: FasterRcnnConfig, path: Path, state: dict[str, Tensor], card: dict[str, Any]
) -> FasterRcnn:
    """Fill a detector; of other classes the last layers stay as they are drawn."""
    detector = config.build()
    own = {n: v for n, v in detector.state_dict().items() if n.startswith("predict.")}
    if own and any(v.shape != state.get(n, v).shape for n, v in own.items()):
        state = {**state, **own}
    weights.fill(detector, state, path)
    return detector


def _range(card: dict[str, Any]) -> Normalize | None:
    told = weights.preprocessing_of(card)
    return None if told is None else Normalize.of(told.mean, told.std)


def fetched(config: object) -> Path:
    """Return the file of torchvision's first weights for a net, fetched if it is not there."""
    if not isinstance(config, ImagenetConfig):
        raise ConfigError(
            "torchvision has weights for imagenet nets; give a file with --weights for others"
        )
    from torchvision.models import get_model_weights

    name = f"resnet{config.depth}" if config.widen == 1 else f"wide_resnet{config.depth}_2"
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
