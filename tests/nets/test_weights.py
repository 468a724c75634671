import json
import pickle
import struct

import numpy as np
import pytest
import torch
from safetensors import safe_open

from residua.errors import CheckpointError, ConfigError
from residua.nets.catalogue import NETS
from residua.nets.cifar import CifarConfig
from residua.nets.convert import to_theirs
from residua.nets.imagenet import ImagenetConfig
from residua.nets.preprocessing import IMAGENET, MSRA, Preprocessing
from residua.nets.vgg import VggConfig
from residua.nets.weights import load, save

SMALL = CifarConfig(depth=8)


def shaken(config):
    """Build a net whose statistics are not those that a mistake would give it."""
    torch.manual_seed(0)
    net = config.build()
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    return net.eval()


def assert_same(one, two):
    one, two = one.state_dict(), two.state_dict()
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_saved_net_needs_nothing_but_its_file(tmp_path):
    net, path = shaken(SMALL), tmp_path / "net.safetensors"
    save(net, path, config=SMALL, preprocessing=IMAGENET, card={"classes": ["a", "b"]})
    loaded = load(path)
    assert_same(loaded.net, net)
    assert not loaded.net.training
    assert (loaded.config, loaded.preprocessing, loaded.origin) == (SMALL, IMAGENET, "residua")
    assert loaded.card["classes"] == ["a", "b"]


def test_the_card_is_in_the_metadata(tmp_path):
    path = tmp_path / "net.safetensors"
    save(shaken(SMALL), path, config=SMALL)
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["residua"])["net"]["depth"] == 8


@pytest.mark.parametrize("net", ["cifar.resnet20", NETS["cifar.resnet20"], None])
def test_a_net_can_be_named_given_or_filled(tmp_path, net):
    source, path = shaken(NETS["cifar.resnet20"]), tmp_path / "net.safetensors"
    save(source, path)
    target = net if net is not None else NETS["cifar.resnet20"].build()
    assert_same(load(path, target).net, source)


def test_our_weights_without_a_card_say_what_is_missing(tmp_path):
    save(shaken(SMALL), tmp_path / "net.safetensors")
    with pytest.raises(CheckpointError, match="weights of Residua; missing is the card"):
        load(tmp_path / "net.safetensors")


def test_weights_of_another_net_of_ours_are_refused_with_the_names(tmp_path):
    save(shaken(SMALL), tmp_path / "net.safetensors")
    with pytest.raises(CheckpointError, match=r"of another net: stages.0.1.residual.conv1.weight"):
        load(tmp_path / "net.safetensors", "cifar.resnet20")


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"end the name in .safetensors"):
        save(shaken(SMALL), tmp_path / "net.pth")


def test_shared_weights_can_be_saved(tmp_path):
    layer = torch.nn.Linear(4, 4)
    net = torch.nn.Sequential(layer, layer)
    save(net, tmp_path / "net.safetensors")
    assert_same(load(tmp_path / "net.safetensors", net).net, net)


def write_pickle(state, path):
    arrays = {name: value.numpy() for name, value in state.items()}
    path.write_bytes(pickle.dumps({"model": arrays, "__author__": "test"}, protocol=2))


def field(number, content):
    """Encode a protobuf field of bytes, or of an integer."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value):
    result = b""
    while value > 0x7F:
        result += bytes([value & 0x7F | 0x80])
        value >>= 7
    return result + bytes([value])


def write_caffemodel(state, path, *, factor=999.98, v1=False):
    """Write arrays as Caffe does, batch norm statistics multiplied by its moving factor."""
    layers = {}
    for name, value in state.items():
        layer, _, blob = name.rpartition("/")
        layers.setdefault(layer, {})[int(blob)] = value.numpy()
    message = field(1, b"net")
    name_field, blobs_field, layer_field = (4, 6, 2) if v1 else (1, 7, 100)
    for layer, blobs in layers.items():
        arrays = [blobs[index] for index in sorted(blobs)]
        if layer.startswith("bn"):
            arrays = [array * np.float32(factor) for array in arrays] + [np.float32([factor])]
        content = field(name_field, layer.encode())
        for array in arrays:
            shape = b"".join(field(1, size) for size in array.shape)
            data = array.astype("<f4").tobytes()
            content += field(blobs_field, field(7, shape) + field(5, data))
        message += field(layer_field, content)
    path.write_bytes(message)


CAFFE = ImagenetConfig(depth=50, stem_bias=True, pool_rounding="ceil", num_classes=5)


@pytest.mark.parametrize("v1", [False, True])
def test_caffe_weights_are_read_with_their_preprocessing(tmp_path, v1):
    source, path = shaken(CAFFE), tmp_path / "ResNet-50-model.caffemodel"
    write_caffemodel(to_theirs(source, "caffe"), path, v1=v1)
    loaded = load(path)
    assert (loaded.config, loaded.preprocessing, loaded.origin) == (CAFFE, MSRA, "caffe")
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded.net(x), source(x), rtol=1e-4, atol=1e-4)


def test_caffe_numbers_the_units_of_deep_nets():
    names = to_theirs(ImagenetConfig(depth=101, pool_rounding="ceil").build(), "caffe")
    for name in ("res3b3_branch2a/0", "res4b22_branch2c/0", "res2c_branch2b/0", "bn4a_branch1/1"):
        assert name in names
    assert "res4b_branch2a/0" not in names


def test_caffe_letters_the_units_of_the_50_layer_net():
    names = to_theirs(CAFFE.build(), "caffe")
    assert "res4f_branch2c/0" in names
    assert "scale_conv1/1" in names


def test_vgg_of_caffe_is_read(tmp_path):
    config = VggConfig(depth=16)
    with torch.device("meta"):
        names = to_theirs(config.build(), "caffe_vgg")
    assert list(names)[:2] == ["conv1_1/0", "conv1_1/1"]
    assert list(names)[-1] == "fc8/1"


def test_detectron_scales_are_batch_norm_without_statistics(tmp_path):
    config = ImagenetConfig(depth=50, num_classes=1000)
    source, path = shaken(config), tmp_path / "R-50.pkl"
    write_pickle(to_theirs(source, "detectron"), path)
    loaded = load(path)
    assert (loaded.config, loaded.origin) == (config, "detectron")
    assert loaded.preprocessing.channels == "BGR"
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded.net(x), source(x), rtol=1e-3, atol=1e-3)


def test_detectron2_weights_come_without_a_head(tmp_path):
    config = ImagenetConfig(depth=50)
    source, path = shaken(config), tmp_path / "model.pkl"
    theirs = {
        f"backbone.bottom_up.{name}": value
        for name, value in to_theirs(source, "detectron2").items()
        if not name.startswith("linear.")
    }
    write_pickle(theirs, path)
    with pytest.raises(CheckpointError, match=r"recognised weights of detectron2, .*linear.weight"):
        load(path)
    loaded = load(path, head=False)
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded.net.features(x)["C5"], source.features(x)["C5"])


def test_akamasters_names_are_recognised_behind_module(tmp_path):
    source = shaken(CifarConfig(depth=20))
    state = {f"module.{name}": v for name, v in to_theirs(source, "akamaster").items()}
    torch.save({"state_dict": state, "best_prec1": 91.7}, tmp_path / "resnet20.th")
    loaded = load(tmp_path / "resnet20.th")
    assert (loaded.config, loaded.preprocessing) == (CifarConfig(depth=20), IMAGENET)
    assert_same(loaded.net, source)


def test_weights_of_unknown_origin_are_refused_with_what_they_hold(tmp_path):
    torch.save({"encoder.0.weight": torch.zeros(3)}, tmp_path / "x.pth")
    with pytest.raises(
        CheckpointError, match=r"unknown origin: 1 arrays such as 0.weight; missing"
    ):
        load(tmp_path / "x.pth")


class Bomb:
    def __reduce__(self):
        return print, ("boom",)


@pytest.mark.parametrize("suffix", [".pth", ".pkl"])
def test_a_pickle_that_holds_more_than_arrays_is_not_run(tmp_path, capsys, suffix):
    path = tmp_path / f"bomb{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": {"x": torch.zeros(1)}, "bomb": Bomb()}, path)
    else:
        path.write_bytes(pickle.dumps({"model": {"x": np.zeros(1)}, "bomb": Bomb()}))
    with pytest.raises(CheckpointError, match=r"holds more than .*arrays"):
        load(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("suffix", [".pth", ".pkl", ".safetensors", ".caffemodel"])
@pytest.mark.parametrize("content", [b"", b"\x00" * 7, b"not weights at all", struct.pack("<Q", 9)])
def test_a_damaged_file_is_a_sentence(tmp_path, suffix, content):
    path = tmp_path / f"net{suffix}"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match="damaged"):
        load(path)


def test_nobody_is_told_how_to_run_what_a_file_holds(tmp_path):
    path = tmp_path / "net.pth"
    torch.save({"net": Preprocessing()}, path)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert "it asks for residua.nets.preprocessing.Preprocessing" in str(caught.value)
    path.write_bytes(b"no weights")
    with pytest.raises(CheckpointError) as other:
        load(path)
    assert "weights_only" not in f"{caught.value}{other.value}"


def test_a_missing_file_is_a_sentence(tmp_path):
    with pytest.raises(CheckpointError, match="no such file"):
        load(tmp_path / "none.pth")


def test_preprocessing_orders_scales_and_shifts_the_channels():
    x = torch.tensor([1.0, 0.5, 0.0]).view(1, 3, 1, 1)
    y = Preprocessing(channels="BGR", range=255.0, mean=(1.0, 2.0, 3.0), std=(1.0, 1.0, 2.0))(x)
    assert y.flatten().tolist() == [-1.0, 125.5, 126.0]


def test_a_module_of_ones_own_comes_back_as_it_was(tmp_path):
    """Names that look like the prefix of a wrapper are names all the same."""

    class Mine(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.model = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4))

    net, other = Mine().to(memory_format=torch.channels_last), Mine()
    save(net, tmp_path / "w.safetensors")
    loaded = load(tmp_path / "w.safetensors", other)
    assert loaded.origin == "residua"
    for name, value in net.state_dict().items():
        assert torch.equal(value, other.state_dict()[name])


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (torch.nn.Linear(3, 2), r"weight is \(2, 4\), the net has \(2, 3\)"),
        (torch.nn.Linear(4, 2, bias=False), "bias has no place"),
    ],
)
def test_weights_of_another_module_are_refused_with_what_differs(tmp_path, other, message):
    save(torch.nn.Linear(4, 2), tmp_path / "w.safetensors")
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "w.safetensors", other)
