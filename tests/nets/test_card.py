import pytest
import torch
import torchvision

from residua.nets.card import card, differences
from residua.nets.catalogue import NETS, find
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import IMAGENET

PHOTO = (3, 224, 224)


def card_of(name, **extra):
    config = find(name)
    with torch.device("meta"):
        return card(config.build(), config.input_shape, name=name, **extra)


def stranger(name):
    with torch.device("meta"):
        return card(getattr(torchvision.models, name)(), PHOTO, name=f"torchvision:{name}")


def test_the_card_of_the_slides_net_holds_its_table():
    rows = [row for row in card_of("imagenet.resnet18_slides").layers if row.arithmetic]
    assert (rows[0].kind, rows[0].output) == ("conv 7x7, 64, /2", (64, 112, 112))
    assert rows[0].arithmetic == "floor((224 + 2*3 - 1*(7 - 1) - 1) / 2) + 1 = 112"
    assert (rows[1].kind, rows[1].output) == ("max pool 3x3, /2", (64, 56, 56))


def test_the_card_says_what_the_paper_says():
    facts = card_of("imagenet.resnet50", preprocessing=IMAGENET, initialization="He et al.").facts
    assert facts["depth"] == "50 weighted layers (not counted: 4 on shortcuts)"
    assert facts["parameters"] == "25,557,032"
    assert facts["parameters without batch norm"] == "25,503,912"
    assert facts["multiply-adds"] == "3,857,973,248"
    assert facts["stride of bottlenecks"] == "on the 1x1"
    assert facts["shortcuts"] == "4 projection 1x1, 12 identity"
    assert facts["shortcut option"] == "B"
    assert facts["stem"] == "conv 7x7, 64, /2; max pool 3x3, /2"
    assert facts["stage widths"].endswith("256 at 56, 512 at 28, 1024 at 14, 2048 at 7")
    assert facts["biases"] == "0 of 53 convolutions, 1 of 1 linear layers"
    assert (facts["batch norm eps"], facts["batch norm momentum"]) == ("1e-05", "0.1")
    assert facts["mean"] == "0.485, 0.456, 0.406"
    assert facts["channel order"] == "RGB"
    assert "unknown" not in facts.values()


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("cifar.resnet20", "A"),
        ("cifar.plain20", "none found"),
        ("imagenet.resnet34", "B"),
        ("imagenet.resnet18_slides", "none of A, B, C: identity, projection 2x2"),
        ("vgg19", "none found"),
    ],
)
def test_the_option_is_found(name, option):
    assert card_of(name).facts["shortcut option"] == option


def test_option_c_is_found():
    net = ImagenetConfig(depth=18, shortcut="C").build()
    assert card(net, PHOTO).facts["shortcut option"] == "C"


# A thousand layers take seconds; their counts are tested elsewhere.
@pytest.mark.parametrize("name", [n for n in NETS if not n.endswith(("1001", "1202"))])
def test_every_network_has_a_card_with_its_depth(name):
    facts = card_of(name).facts
    assert facts["depth"].partition(" ")[0].isdigit()


def test_against_torchvisions_resnet50_only_the_stride_differs():
    lines = differences(stranger("resnet50"), card_of("imagenet.resnet50"))
    what = [line.what for line in lines]
    assert what[:2] == ["multiply-adds", "stride of bottlenecks"]
    assert lines[1].this == "on the 3x3"
    assert lines[1].other == "on the 1x1"
    assert len([w for w in what if w.startswith("main layer")]) == 2 * 3
    assert not [w for w in what if w.startswith("shortcut layer")]


def test_what_a_stranger_does_not_tell_is_unknown():
    facts = stranger("resnet18").facts
    assert facts["initialization"] == facts["mean"] == facts["channel order"] == "unknown"
    assert facts["shortcut option"] == "B"


def test_alexnet_has_no_shortcuts():
    assert stranger("alexnet").facts["shortcuts"] == "none found"


def test_vgg19_and_resnet34_are_one_comparison_apart():
    lines = differences(card_of("vgg19"), card_of("imagenet.resnet34"))
    (line,) = [line for line in lines if line.what == "multiply-adds"]
    assert (line.this, line.other) == ("19,632,062,464", "3,663,761,408")


def test_a_card_does_not_differ_from_itself():
    assert differences(card_of("cifar.resnet20"), card_of("cifar.resnet20")) == []
