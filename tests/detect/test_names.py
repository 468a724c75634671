import dataclasses
import itertools
import math
import pickle
from functools import cache

import numpy as np
import pytest
import torch

from residua.detect.anchors import AnchorsConfig
from residua.detect.names import c4, detectron2_names, from_detectron2, is_c4, to_detectron2
from residua.detect.roi import RoiPool
from residua.errors import CheckpointError
from residua.nets.imagenet import ImagenetConfig
from residua.nets.reading import read

CLASSES = 7
UNITS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3)}


def normalization(name, width):
    return {
        f"{name}.norm.{part}": (width,)
        for part in ("weight", "bias", "running_mean", "running_var")
    }


def convolution(name, width, inputs, side):
    return {f"{name}.weight": (width, inputs, side, side)} | normalization(name, width)


def bottleneck(name, inputs, inner, outputs):
    shapes = convolution(f"{name}.shortcut", outputs, inputs, 1) if inputs != outputs else {}
    shapes |= convolution(f"{name}.conv1", inner, inputs, 1)
    shapes |= convolution(f"{name}.conv2", inner, inner, 3)
    return shapes | convolution(f"{name}.conv3", outputs, inner, 1)


def theirs(depth, classes=CLASSES, anchors=15):
    """List names and shapes as detectron2 documents its GeneralizedRCNN with Res5ROIHeads."""
    shapes = convolution("backbone.stem.conv1", 64, 3, 7)
    inputs = 64
    for number, units in enumerate(UNITS[depth], start=2):
        parent = "roi_heads" if number == 5 else "backbone"
        inner = 64 * 2 ** (number - 2)
        for unit in range(units):
            shapes |= bottleneck(f"{parent}.res{number}.{unit}", inputs, inner, 4 * inner)
            inputs = 4 * inner
    for layer, width, side in (
        ("conv", 1024, 3),
        ("objectness_logits", anchors, 1),
        ("anchor_deltas", 4 * anchors, 1),
    ):
        name = f"proposal_generator.rpn_head.{layer}"
        shapes |= {f"{name}.weight": (width, 1024, side, side), f"{name}.bias": (width,)}
    for layer, width in (("cls_score", classes + 1), ("bbox_pred", 4 * classes)):
        name = f"roi_heads.box_predictor.{layer}"
        shapes |= {f"{name}.weight": (width, 2048), f"{name}.bias": (width,)}
    return shapes


def arrays(shapes):
    """Fill each array with a number of its own, and what is put in order with many."""
    state = {
        name: torch.tensor(float(number)).expand(shape)
        for number, (name, shape) in enumerate(shapes.items())
    }
    ordered = [name for name in shapes if "rpn_head" in name or "box_predictor" in name]
    for name in ordered:
        if "rpn_head.conv." not in name:
            count = math.prod(shapes[name])
            state[name] = torch.arange(count, dtype=torch.float32).view(shapes[name])
    return state


@cache
def empty(config):
    with torch.device("meta"):
        return config.build()


@pytest.mark.parametrize("depth", [50, 101])
def test_every_weight_has_its_place_and_its_shape(depth):
    shapes = theirs(depth)
    net = empty(c4(depth, CLASSES))
    ours = {n: v for n, v in net.state_dict().items() if not n.endswith("num_batches_tracked")}
    table = detectron2_names(ours)
    assert set(table.values()) == set(shapes)
    for name, value in ours.items():
        wanted = shapes[table[name]]
        if table[name].startswith("roi_heads.box_predictor.bbox_pred"):
            # Ours has a box of the background, which means nothing.
            wanted = (wanted[0] + 4, *wanted[1:])
        assert tuple(value.shape) == wanted, name


@pytest.mark.parametrize("depth", [50, 101])
def test_weights_go_to_ours_and_back(depth):
    config = c4(depth, CLASSES)
    net = empty(config)
    state = arrays(theirs(depth))
    ours = from_detectron2(state, net, config)
    assert {n: v.shape for n, v in ours.items()} == {
        n: v.shape for n, v in net.state_dict().items()
    }
    back = to_detectron2(ours, config)
    assert back.keys() == state.keys()
    assert all(back[name].equal(state[name]) for name in state)


def test_a_few_names_written_down():
    names = [
        "trunk.stem.conv.weight",
        "trunk.stem.norm.running_var",
        "trunk.c2.0.shortcut.conv.weight",
        "trunk.c4.5.residual.conv3.weight",
        "head.c5.2.residual.norm1.bias",
        "rpn.objectness.bias",
        "predict.boxes.weight",
    ]
    assert list(detectron2_names(names).values()) == [
        "backbone.stem.conv1.weight",
        "backbone.stem.conv1.norm.running_var",
        "backbone.res2.0.shortcut.weight",
        "backbone.res4.5.conv3.weight",
        "roi_heads.res5.2.conv1.norm.bias",
        "proposal_generator.rpn_head.objectness_logits.bias",
        "roi_heads.box_predictor.bbox_pred.weight",
    ]


@pytest.fixture(scope="module")
def converted():
    config = c4(50, CLASSES)
    return config, from_detectron2(arrays(theirs(50)), empty(config), config)


def test_the_background_comes_first_in_ours_and_last_in_theirs(converted):
    _, ours = converted
    assert ours["predict.classes.bias"].tolist() == [7, 0, 1, 2, 3, 4, 5, 6]
    boxes = ours["predict.boxes.bias"].view(CLASSES + 1, 4)
    assert boxes[0].tolist() == [0, 0, 0, 0]
    assert boxes[1].tolist() == [0, 1, 2, 3]


def test_anchors_go_ratio_by_ratio_in_ours_and_size_by_size_in_theirs(converted):
    config, ours = converted
    sizes, ratios = config.anchors.sizes, config.anchors.ratios
    # Their anchors in their order, by their formula: the ratio is height by width.
    cells = []
    for size, ratio in itertools.product(sizes, ratios):
        width = math.sqrt(size**2 / ratio)
        cells.append([-width / 2, -ratio * width / 2, width / 2, ratio * width / 2])
    placed = torch.tensor(cells)[ours["rpn.objectness.bias"].long()]
    torch.testing.assert_close(placed, torch.tensor(config.anchors.cells(16)))
    deltas = ours["rpn.deltas.bias"].view(-1, 4)
    assert deltas[:, 0].equal(4 * ours["rpn.objectness.bias"])
    assert (deltas - deltas[:, :1]).unique(dim=0).tolist() == [[0, 1, 2, 3]]


def test_a_file_of_their_model_zoo_is_read(tmp_path):
    shapes = theirs(50, classes=1, anchors=15)
    state = {name: array.numpy() for name, array in arrays(shapes).items() if array.numel() < 1e6}
    path = tmp_path / "model_final.pkl"
    path.write_bytes(pickle.dumps({"model": state, "__author__": "Detectron2 Model Zoo"}))
    found, _ = read(path)
    assert found.keys() == state.keys()
    assert is_c4(found)
    assert np.array_equal(found["roi_heads.box_predictor.cls_score.bias"].numpy(), [0, 1])


def test_other_names_are_not_taken_for_theirs():
    assert not is_c4(["backbone.bottom_up.stem.conv1.weight", "roi_heads.box_head.fc1.weight"])
    assert not is_c4(["trunk.stem.conv.weight"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("roi_heads.res5.2.conv3.weight"), "res5.2.conv3.weight is missing"),
        (lambda s: s.update(extra=torch.zeros(1)), "extra has no place"),
        (
            lambda s: s.update({"roi_heads.box_predictor.cls_score.bias": torch.zeros(21)}),
            "cls_score.bias is 21, the net has 8",
        ),
        (
            lambda s: s.update(
                {"proposal_generator.rpn_head.objectness_logits.bias": torch.ones(9)}
            ),
            "objectness_logits.bias is 9, the net has 15",
        ),
        (
            lambda s: s.update(
                {"proposal_generator.anchor_generator.cell_anchors.0": torch.zeros(15, 4)}
            ),
            "other anchors than those of the settings",
        ),
    ],
)
def test_weights_of_another_net_are_refused(change, words):
    config = c4(50, CLASSES)
    state = arrays(theirs(50))
    change(state)
    with pytest.raises(CheckpointError, match=words):
        from_detectron2(state, empty(config), config)


def test_what_old_files_hold_beside_the_weights_is_left_out():
    config = c4(50, CLASSES)
    cells = torch.tensor(config.anchors.cells(16)).view(3, 5, 4).transpose(0, 1).reshape(15, 4)
    beside = {
        "pixel_mean": torch.zeros(3, 1, 1),
        "pixel_std": torch.ones(3, 1, 1),
        "proposal_generator.anchor_generator.cell_anchors.0": cells,
    }
    ours = from_detectron2(arrays(theirs(50)) | beside, empty(config), config)
    assert ours.keys() == empty(config).state_dict().keys()


@pytest.mark.parametrize(
    ("part", "changes"),
    [
        ("rpn", {"objectness": "softmax"}),
        ("roi", {"half_pixel": False}),
        ("roi", {"pool": "max"}),
        ("anchors", {"convention": "original"}),
        ("context", None),
    ],
)
def test_settings_that_compute_something_else_are_refused(part, changes):
    usual = c4(50, CLASSES)
    inner = True if changes is None else dataclasses.replace(getattr(usual, part), **changes)
    config = dataclasses.replace(usual, **{part: inner})
    with pytest.raises(CheckpointError, match=f"have {part}"):
        from_detectron2({}, torch.nn.Identity(), config)
    with pytest.raises(CheckpointError, match=f"have {part}"):
        to_detectron2({}, config)


def test_a_trunk_that_they_do_not_have_is_refused():
    with pytest.raises(CheckpointError, match="cannot express"):
        detectron2_names(["trunk.c1.conv1.weight"])


@pytest.mark.parametrize(("half_pixel", "value"), [(True, 2.5), (False, 3.0)])
def test_their_regions_begin_half_a_pixel_earlier(half_pixel, value):
    # The features are the number of their column, and the middle of the region is at 3.
    features = torch.arange(8.0).expand(1, 1, 8, 8)
    pool = RoiPool("align", 1, 1, sampling=1, half_pixel=half_pixel)
    assert pool(features, torch.tensor([[0.0, 2, 2, 4, 4]])).item() == value


def test_the_settings_are_theirs():
    config = c4(101)
    assert config.trunk == ImagenetConfig(depth=101, stride_on="1x1")
    assert config.num_classes == 80
    assert config.roi.std == (1 / 10, 1 / 10, 1 / 5, 1 / 5)
    assert config.anchors == AnchorsConfig(
        sizes=(32, 64, 128, 256, 512), ratios=(0.5, 1, 2), convention="detectron2"
    )
