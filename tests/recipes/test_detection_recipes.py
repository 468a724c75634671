"""The recipes of detectors: what they build and claim, and that each way of training runs."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torchvision import models

from residua import execute, recipes
from residua.data.annotated import AnnotatedImages, ObjectTable
from residua.data.objectbatches import ResizeConfig
from residua.data.objects import AnnotatedSplits, Objects
from residua.detect.describe import describe
from residua.detection_experiment import DetectionExperiment
from residua.nets.imagenet import ImagenetConfig
from residua.nets.weights import Contents
from residua.starting import take_over

NAMES = [n for n in recipes.names() if isinstance(recipes.find(n), DetectionExperiment)]


def annotated(count, classes):
    """Noise with a box on each picture, all of one size."""
    draw = torch.Generator().manual_seed(count)
    pictures = [
        torch.randint(0, 256, (3, 48, 64), generator=draw, dtype=torch.uint8) for _ in range(count)
    ]
    objects = [Objects.of([[4, 6, 40, 40]], [1 + index % classes]) for index in range(count)]
    names = tuple(f"class {number}" for number in range(classes))
    stems = tuple(f"{count}-{index}" for index in range(count))
    return AnnotatedImages(pictures, ObjectTable.of(objects), names, stems)


def small(name):
    """The same training of a tiny trunk on a few small pictures."""
    experiment = recipes.find(name)
    net = replace(experiment.net, trunk=ImagenetConfig(depth=18, widen=0.0625))
    parts = (annotated(count, net.num_classes) for count in (4, 2, 3))
    return replace(
        experiment,
        net=replace(net, rpn=replace(net.rpn, train_post=24, test_post=12, min_size=4.0)),
        data=AnnotatedSplits(*parts),
        resize=ResizeConfig(short=48, long=64),
        weights=None,
        pretrain=None,
        precision="float32",
    ).smoke()


@pytest.mark.parametrize(
    ("name", "trunk", "head", "classes"),
    [
        # He et al. 2015: ResNet-101 without its 2.05 million of the last layer, cut before conv5_x.
        ("detection.voc07_resnet101", 27_535_424, 14_964_736, 20),
        ("detection.coco_resnet101", 27_535_424, 14_964_736, 80),
        # Simonyan & Zisserman: 13 convolutions; fc6 of 7 x 7 x 512 and fc7.
        ("detection.voc12_vgg16", 14_714_688, 4096 * (7 * 7 * 512 + 1) + 4096 * 4097, 20),
    ],
)
def test_the_papers_detectors_are_cut_where_the_papers_cut_them(name, trunk, head, classes):
    with torch.device("meta"):
        net = recipes.find(name).build_net()
    found = describe(net, (3, 600, 800))
    assert (found.parameters("trunk"), found.parameters("head")) == (trunk, head)
    assert found.layers[-1].output == (classes + 1,)
    assert len(net.rpn.cells) == 9
    assert found.regions == 300


@pytest.mark.parametrize("name", NAMES)
def test_a_claim_names_a_number_that_a_run_records(name):
    known = {"map_area", "map_11point", "coco_ap", "coco_ap50"}
    claims = recipes.find(name).claims
    assert {claim.metric for claim in claims} <= known
    assert bool(claims) == ("scenes" not in name)


FROM_TORCHVISION = [n for n in NAMES if recipes.find(n).weights == "torchvision"]
TRUNKS = {recipes.find(n).net.trunk: n for n in FROM_TORCHVISION}


@pytest.mark.parametrize("name", list(TRUNKS.values()))
def test_weights_that_a_recipe_begins_from_are_of_its_trunk(name):
    trunk = recipes.find(name).net.trunk
    with torch.device("meta"):
        theirs = models.vgg16() if trunk.kind == "vgg" else models.resnet101()
        net = trunk.build()
    assert take_over(net, Contents(Path("theirs.pth"), theirs.state_dict(), {}), ()) is not None


def test_rates_of_coco_follow_the_batches_of_its_steps():
    experiment = recipes.find("detection.coco_resnet101")
    small = replace(experiment, batch_size=2, step_batches=(2, 4, 2, 4))
    assert [part.lr for part in small.rates.parts] == pytest.approx([0.00025] * 4)
    assert experiment.rates == experiment.schedule


def way_of(name):
    """What a training does beside the net and the data."""
    experiment = recipes.find(name)
    return experiment.training, bool(experiment.step_batches), type(experiment.schedule)


@pytest.mark.parametrize("name", list({way_of(name): name for name in NAMES}.values()))
def test_every_way_to_train_a_detector_runs(name):
    result = execute.run(small(name), page=False)
    assert 0 <= result.test_map <= 100
    assert result.test_count == 3
