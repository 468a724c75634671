"""Networks with given weights: tested without any training, and recorded by the file's content.

The records lie in `given/NAME/evaluations.jsonl` below the folder of all runs.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from residua import events, outcome, runtime
from residua.config import encode
from residua.data.folder import FilesConfig, absolute
from residua.data.normalize import Normalize
from residua.data.views import Views
from residua.errors import ConfigError
from residua.nets import weights
from residua.nets.catalogue import NetConfig
from residua.nets.preprocessing import Preprocessing
from residua.reproduce.cell import Evaluated
from residua.reproduce.effort import Effort
from residua.reproduce.later import Asked
from residua.reproduce.same import IMAGENET
from residua.reproduce.verdict import Measured
from residua.starting import TORCHVISION, fetched
from residua.train.parallel import World

FOLDER = "given"
ERRORS = {"test_error": "top1_error", "top5_error": "top5_error"}


class _Prepared(nn.Module):
    """A network behind the preprocessing of its weights, for pictures in [0, 1]."""

    def __init__(self, net: nn.Module, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.net = net
        self.preprocessing = preprocessing

    def forward(self, x: Tensor) -> Tensor:
        return self.net(self.preprocessing(x))


def evaluate(name: str, net: NetConfig, views: Views, effort: Effort, world: World) -> None:
    """Test given weights on ImageNet's validation pictures, unless that is recorded already.

    Args:
        name: by which the weights are given.
        net: for which torchvision is asked for weights.
        views: what is looked at.
        effort: which weights, and where the pictures are.
        world: the processes that share the pictures.

    Raises:
        ConfigError: it is not said where the pictures are, or the weights do not say what pictures
            they are for.
        CheckpointError: there is no such file, or its weights are of an unknown net.
        DataError: the pictures cannot be read, or the weights not be fetched.
    """
    if effort.data is None:
        raise ConfigError(f"the weights of {name} are tested on ImageNet: say where it is (--data)")
    source = effort.weights[name]
    path = fetched(net) if source == TORCHVISION else Path(source)
    folder, data = effort.runs / FOLDER / name, absolute(effort.data)
    loaded = weights.load(path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    known = {"sha256": digest, "views": encode(views), "data": data}
    if world.told(any(known.items() <= event.items() for event in events.evaluations(folder))):
        return
    if loaded.preprocessing is None:
        raise ConfigError(f"{path} does not say what pictures its weights are for")
    images = FilesConfig(path=data, size=224, validation=0.0).load().test
    prepared = _Prepared(loaded.net, loaded.preprocessing)
    plain = Normalize.of((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    tested = Asked(prepared, images, plain).under(views, world, precision="float32")
    if world.leads:
        folder.mkdir(parents=True, exist_ok=True)
        dtype = runtime.pick_dtype("float32", world.device)
        events.Log(folder, file=events.EVALUATIONS).write(
            "evaluation",
            **known,
            weights=source if source == TORCHVISION else path.name,
            origin=loaded.origin,
            net=encode(loaded.config) if loaded.config is not None else None,
            count=len(tested.labels),
            fingerprint=images.fingerprint(),
            **outcome.tested(tested),
            environment=runtime.environment(world.device, dtype),
            command=runtime.command_line(),
        )


def measured(how: Evaluated, roots: Iterable[Path]) -> Measured | None:
    """Find what given weights came to: those of the paper before others, the latest of each."""
    found = [
        (_differences(how, event), event, root)
        for root in roots
        for event in events.evaluations(root / FOLDER / how.name)
        if event["views"] == encode(how.views) and event[ERRORS[how.metric]] is not None
    ]
    if not found:
        return None
    differences, event, root = min(reversed(found), key=lambda each: len(each[0]))
    return Measured(
        values=(event[ERRORS[how.metric]],),
        differences=tuple(differences),
        remarks=(f"weights {event['weights']}, not trained here",),
        folders=(str(root / FOLDER / how.name),),
    )


def _differences(how: Evaluated, event: dict[str, Any]) -> list[str]:
    """Say in words where a test of weights is not that of the paper."""
    words: list[str] = []
    if event["origin"] != how.origin:
        words.append(f"the weights are {event['origin']}'s, the paper's are those of its authors")
    elif event["net"] != encode(how.net):
        words.append("the weights are of another network")
    if event["count"] != IMAGENET[1]:
        words.append(f"tested on {event['count']:,} of {IMAGENET[1]:,} images")
    return words
