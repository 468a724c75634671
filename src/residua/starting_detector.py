"""The weights that a detector starts from: of a classifier, of one of ours, or of detectron2's."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from residua.config import decode
from residua.data.normalize import Normalize
from residua.data.resize import ResizeConfig
from residua.detect.detector import Detector
from residua.detect.faster_rcnn import FasterRcnn
from residua.detect.names import config_of_c4, from_detectron2, is_c4
from residua.detect.settings import FasterRcnnConfig
from residua.errors import CheckpointError, ConfigError
from residua.nets import weights
from residua.nets.catalogue import NetConfig
from residua.nets.channel_order import in_rgb
from residua.nets.preprocessing import MSRA
from residua.starting import TORCHVISION, config_of, offered, take_over

# Of detectron2's detectors on C4, in pixels.
DETECTRON2_RESIZE = ResizeConfig(short=800, long=1333)
# The layers that depend on the classes.
OF_CLASSES = "predict."


def any_config_of(source: str) -> FasterRcnnConfig | NetConfig:
    """Tell which detector or classifier weights are of; "torchvision" is its smallest ResNet.

    Raises:
        CheckpointError: no such file, or it does not say of which net its weights are.
        ConfigError: the card says something that is neither.
    """
    if source == TORCHVISION:
        return config_of(source)
    given = weights.contents(source)
    if _is_ours(given):
        return decode(FasterRcnnConfig, given.card.get("net"), where=f"the card of {source}")
    return config_of_c4(given.state) if is_c4(given.state) else given.config


def start_detector(config: FasterRcnnConfig, source: str) -> tuple[FasterRcnn, Normalize | None]:
    """Build a detector on the weights of a classifier, or on those of a whole detector.

    Args:
        config: of the detector.
        source: a file, or "torchvision" for what it offers for the trunk.

    Returns:
        The detector, and what its pictures are brought into range with, if the file says so.

    Raises:
        CheckpointError: no such file, or its weights are of another net.
        ConfigError: torchvision has no weights for the trunk, or they are of other pictures.
        DataError: they could not be fetched.
    """
    given = weights.contents(_file(config, source))
    if _is_ours(given):
        return _ours(config, given), _range(given.card)
    if is_c4(given.state):
        return _of_detectron2(config, given.state)
    classifier = config.trunk.build()
    told = take_over(classifier, given, ())
    known = None if told is None else Normalize.of(told.mean, told.std)
    return config.build_on(classifier), known


def load_detectron2(path: str | Path) -> Detector:
    """Load a Faster R-CNN on C4 of detectron2, to be tested as it is there.

    It takes pictures in RGB, as all of ours do. The label of a class is its place in the data that
    it was trained on, counted from 1.

    Args:
        path: `model_final.pkl` of its model zoo, or a .pth of a training.

    Raises:
        CheckpointError: no such file, or the weights are not those of such a detector.
    """
    state = weights.contents(path).state
    if not is_c4(state):
        raise CheckpointError(
            f"{path} holds no Faster R-CNN on C4 of detectron2: its names are others"
        )
    net, normalize = _of_detectron2(config_of_c4(state), state)
    return Detector(net.eval(), normalize, DETECTRON2_RESIZE)


def _file(config: FasterRcnnConfig, source: str) -> Path:
    if source != TORCHVISION:
        return Path(source)
    with torch.device("meta"):
        trunk = config.trunk.build()
    return offered(trunk, config.trunk)


def _is_ours(given: weights.Contents) -> bool:
    return given.card.get("task") == "detection"


def _ours(config: FasterRcnnConfig, given: weights.Contents) -> FasterRcnn:
    """Fill a detector; of other classes the last layers stay as they are drawn."""
    detector, state = config.build(), given.state
    own = {n: v for n, v in detector.state_dict().items() if n.startswith(OF_CLASSES)}
    if own and any(v.shape != state.get(n, v).shape for n, v in own.items()):
        state = {**state, **own}
    weights.fill(detector, state, given.path)
    return detector


def _of_detectron2(
    config: FasterRcnnConfig, state: dict[str, Tensor]
) -> tuple[FasterRcnn, Normalize]:
    """Fill a detector, of other classes all but the last layers, and turn it to RGB."""
    theirs = config_of_c4(state)
    with torch.device("meta"):
        like = theirs.build()
    converted = from_detectron2(state, like, theirs)
    detector = config.build()
    own = detector.state_dict()
    if theirs.num_classes != config.num_classes:
        converted |= {name: value for name, value in own.items() if name.startswith(OF_CLASSES)}
    faults = weights.compare(own, converted)
    if faults:
        raise ConfigError(
            "these weights of detectron2 are of another detector than the settings: "
            f"{'; '.join(faults[:4])} (residua.detect.names.c4 gives settings that fit)"
        )
    detector.load_state_dict(converted)
    told = in_rgb(detector, MSRA)
    return detector, Normalize.of(told.mean, told.std)


def _range(card: dict[str, Any]) -> Normalize | None:
    told = weights.preprocessing_of(card)
    return None if told is None else Normalize.of(told.mean, told.std)
