"""The names that other libraries give to the weights of our networks.

A convention is a list of patterns for our names and what to write for them; applied to the names of
a network it gives a table from ours to theirs, which is read in both directions.
"""

import re
import string
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from residua.errors import CheckpointError

Origin = Literal[
    "torchvision", "akamaster", "detectron2", "detectron", "caffe", "timm_vgg", "torchvision_vgg",
    "caffe_vgg",
]  # fmt: skip
Rule = tuple[str, str | Callable[[re.Match[str]], str]]

UNIT = r"stages\.(?P<stage>\d+)\.(?P<unit>\d+)\."
CAFFE_NORM = {
    "weight": ("scale", 0),
    "bias": ("scale", 1),
    "running_mean": ("bn", 0),
    "running_var": ("bn", 1),
}
CAFFE_BLOBS = {"weight": 0, "bias": 1}


def _torchvision(m: re.Match[str]) -> str:
    word = "conv" if m["part"] == "conv" else "bn"
    return f"layer{int(m['stage']) + 1}.{m['unit']}.{word}{m['number']}.{m['rest']}"


def _downsample(word: str, first: int = 0) -> Callable[[re.Match[str]], str]:
    def name(m: re.Match[str]) -> str:
        position = first + (m["part"] == "norm")
        return f"layer{int(m['stage']) + 1}.{m['unit']}.{word}.{position}.{m['rest']}"

    return name


def _detectron2(m: re.Match[str]) -> str:
    layer = f"conv{m['number']}" if m.groupdict().get("number") else "shortcut"
    norm = "norm." if m["part"] == "norm" else ""
    return f"res{int(m['stage']) + 2}.{m['unit']}.{layer}.{norm}{m['rest']}"


def _branch(m: re.Match[str]) -> str:
    number = m.groupdict().get("number")
    return f"branch2{string.ascii_lowercase[int(number) - 1]}" if number else "branch1"


def _detectron(m: re.Match[str]) -> str:
    suffix = "_w" if m["part"] == "conv" else {"weight": "_bn_s", "bias": "_bn_b"}[m["rest"]]
    return f"res{int(m['stage']) + 2}_{m['unit']}_{_branch(m)}{suffix}"


def _caffe(units: Sequence[int]) -> Callable[[re.Match[str]], str]:
    def name(m: re.Match[str]) -> str:
        stage, unit = int(m["stage"]), int(m["unit"])
        # res4a to res4f where letters suffice in the 50-layer net; res4a, res4b1, ... beyond.
        numbered = max(units) > 6 and units[stage] > 3 and unit > 0
        letter = f"b{unit}" if numbered else string.ascii_lowercase[unit]
        where = f"{stage + 2}{letter}_{_branch(m)}"
        if m["part"] == "conv":
            return f"res{where}/{CAFFE_BLOBS[m['rest']]}"
        kind, blob = CAFFE_NORM[m["rest"]]
        return f"{kind}{where}/{blob}"

    return name


def _rules(origin: Origin, units: Sequence[int]) -> list[Rule]:
    inside = UNIT + r"residual\.(?P<part>conv|norm)(?P<number>\d+)\.(?P<rest>\w+)"
    beside = UNIT + r"shortcut\.(?P<part>conv|norm)\.(?P<rest>\w+)"
    averaged = UNIT + r"shortcut\.project\.(?P<part>conv|norm)\.(?P<rest>\w+)"
    match origin:
        case "torchvision" | "akamaster":
            known = origin == "torchvision"
            return [
                (r"stem\.conv\.(\w+)", r"conv1.\1"),
                (r"stem\.norm\.(\w+)", r"bn1.\1"),
                (inside, _torchvision),
                (beside, _downsample("downsample" if known else "shortcut")),
                *([(averaged, _downsample("downsample", 1))] if known else []),
                (r"head\.(\w+)", r"fc.\1" if known else r"linear.\1"),
            ]
        case "detectron2":
            return [
                (r"stem\.conv\.(\w+)", r"stem.conv1.\1"),
                (r"stem\.norm\.(\w+)", r"stem.conv1.norm.\1"),
                (inside, _detectron2),
                (beside, _detectron2),
                (r"head\.(\w+)", r"linear.\1"),
            ]
        case "detectron":
            return [
                (r"stem\.conv\.weight", "conv1_w"),
                (r"stem\.conv\.bias", "conv1_b"),
                (r"stem\.norm\.weight", "res_conv1_bn_s"),
                (r"stem\.norm\.bias", "res_conv1_bn_b"),
                (inside, _detectron),
                (beside, _detectron),
                (r"head\.weight", "fc1000_w"),
                (r"head\.bias", "fc1000_b"),
            ]
        case "caffe":
            return [
                (r"stem\.conv\.(\w+)", lambda m: f"conv1/{CAFFE_BLOBS[m[1]]}"),
                (
                    r"stem\.norm\.(\w+)",
                    lambda m: "{}_conv1/{}".format(*CAFFE_NORM[m[1]]),
                ),
                (inside, _caffe(units)),
                (beside, _caffe(units)),
                (r"head\.(\w+)", lambda m: f"fc1000/{CAFFE_BLOBS[m[1]]}"),
            ]
        case _:
            return _vgg_rules(origin, units)


def _vgg_rules(origin: Origin, units: Sequence[int]) -> list[Rule]:
    inside = r"groups\.(?P<group>\d+)\.conv(?P<number>\d+)\.(?P<rest>\w+)"

    def by_position(m: re.Match[str]) -> str:
        group = int(m["group"])
        position = sum(2 * count + 1 for count in units[:group]) + 2 * (int(m["number"]) - 1)
        return f"features.{position}.{m['rest']}"

    def by_group(m: re.Match[str]) -> str:
        return f"conv{int(m['group']) + 1}_{m['number']}/{CAFFE_BLOBS[m['rest']]}"

    match origin:
        case "torchvision_vgg":
            heads = {"fc1": "classifier.0", "fc2": "classifier.3", "fc3": "classifier.6"}
        case "timm_vgg":
            heads = {"fc1": "pre_logits.fc1", "fc2": "pre_logits.fc2", "fc3": "head.fc"}
        case _:
            caffe: list[Rule] = [
                (
                    rf"head\.fc{n - 5}\.(\w+)",
                    lambda m, n=n: f"fc{n}/{CAFFE_BLOBS[m[1]]}",
                )
                for n in (6, 7, 8)
            ]
            return [(inside, by_group), *caffe]
    rules: list[Rule] = [(rf"head\.{ours}\.(\w+)", rf"{name}.\1") for ours, name in heads.items()]
    return [(inside, by_position), *rules]


def units_of(names: Iterable[str]) -> list[int]:
    """Count the units in each stage, or the convolutions in each group of a VGG net."""
    last: dict[int, int] = {}
    for name in names:
        match = re.match(r"stages\.(\d+)\.(\d+)\.|groups\.(\d+)\.conv(\d+)\.", name)
        if match:
            stage, unit = int(match[1] or match[3] or 0), int(match[2] or 0) + 1
            last[stage] = max(last.get(stage, 0), int(match[4]) if match[4] else unit)
    return [last[stage] for stage in sorted(last)]


def their_names(ours: Sequence[str], origin: Origin) -> dict[str, str]:
    """Give the names that a library has for our weights; what it does not keep is left out.

    Detectron's and Caffe's files hold no count of batches, Detectron's no statistics either: there
    batch normalization is a scale and a shift.

    Raises:
        CheckpointError: the library has no name for some weight: it cannot express the network.
    """
    rules = _rules(origin, units_of(ours))
    table: dict[str, str] = {}
    for name in ours:
        if _is_dropped(name, origin):
            continue
        for pattern, replacement in rules:
            match = re.fullmatch(pattern, name)
            if match:
                table[name] = (
                    match.expand(replacement)
                    if isinstance(replacement, str)
                    else replacement(match)
                )
                break
        else:
            raise CheckpointError(f"{origin} cannot express this net: it has no name for {name}")
    return table


def _is_dropped(name: str, origin: Origin) -> bool:
    if name.endswith("num_batches_tracked"):
        return origin in ("caffe", "detectron", "detectron2")
    return origin == "detectron" and name.endswith(("running_mean", "running_var"))


def recognise(names: Mapping[str, object]) -> Origin | None:
    """Tell from the names of weights which library they are from; None if from none we know."""
    signs: dict[Origin, tuple[str, ...]] = {
        "torchvision_vgg": ("features.0.weight", "classifier.0.weight"),
        "timm_vgg": ("features.0.weight", "pre_logits.fc1.weight"),
        "caffe_vgg": ("conv1_1/0",),
        "caffe": ("conv1/0", "res2a_branch2a/0"),
        "detectron": ("conv1_w", "res2_0_branch2a_w"),
        "detectron2": ("stem.conv1.weight", "res2.0.conv1.weight"),
        "akamaster": ("conv1.weight", "layer1.0.conv1.weight", "linear.weight"),
        "torchvision": ("conv1.weight", "layer1.0.conv1.weight"),
    }
    for origin, keys in signs.items():
        if all(key in names for key in keys):
            return origin
    return None
