"""The same weights give the same logits, to the last bit, as in torchvision and timm."""

import pytest
import timm
import torch
import torchvision

from residua.errors import CheckpointError
from residua.nets.convert import from_theirs, to_theirs
from residua.nets.imagenet import ImagenetConfig
from residua.nets.infer import infer
from residua.nets.vgg import VggConfig

RESNETS = {
    "resnet18": ImagenetConfig(depth=18, stride_on="3x3"),
    "resnet34": ImagenetConfig(depth=34, stride_on="3x3"),
    "resnet50": ImagenetConfig(depth=50, stride_on="3x3"),
    "resnet101": ImagenetConfig(depth=101, stride_on="3x3"),
    "resnet152": ImagenetConfig(depth=152, stride_on="3x3"),
    "wide_resnet50_2": ImagenetConfig(depth=50, stride_on="3x3", widen=2.0),
}
TORCHVISION = RESNETS | {"vgg16": VggConfig(depth=16), "vgg19": VggConfig(depth=19)}
TIMM = RESNETS | {"resnet200": ImagenetConfig(depth=200, stride_on="3x3")}


def shake(net):
    """Give batch normalization statistics that a mistake would show in."""
    generator = torch.Generator().manual_seed(0)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            module.weight.data.uniform_(0.5, 1.0, generator=generator)
    return net.eval()


def quick(make, *args, **kwargs):
    """Build a foreign net without its slow initialization."""
    with torch.device("meta"):
        net = make(*args, **kwargs)
    net = net.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(1)
    for tensor in [*net.parameters(), *net.buffers()]:
        if tensor.dtype.is_floating_point:
            fan_in = tensor[0].numel() if tensor.ndim > 1 else 1
            tensor.data.uniform_(-1, 1, generator=generator).mul_((3 / fan_in) ** 0.5)
        else:
            tensor.fill_(7)
    return shake(net)


def assert_same_net(theirs, config, origin, size=64):
    state = theirs.state_dict()
    assert infer(state) == config
    with torch.device("meta"):
        ours = config.build()
    ours.load_state_dict(from_theirs(state, ours.to_empty(device="cpu")), assign=True)
    x = torch.randn(2, 3, size, size - 3)
    with torch.no_grad():
        assert torch.equal(ours.eval()(x), theirs(x))
    back = to_theirs(ours, origin)
    assert list(back) == list(state) or back.keys() == state.keys()
    assert all(back[name].numpy().tobytes() == state[name].numpy().tobytes() for name in state)


@pytest.mark.parametrize("name", TORCHVISION)
def test_logits_equal_torchvisions(name):
    theirs = quick(getattr(torchvision.models, name))
    origin = "torchvision_vgg" if name.startswith("vgg") else "torchvision"
    assert_same_net(theirs, TORCHVISION[name], origin)


@pytest.mark.parametrize("name", TIMM)
def test_logits_equal_timms(name):
    assert_same_net(quick(timm.create_model, name), TIMM[name], "torchvision")


@pytest.mark.parametrize("depth", [16, 19])
def test_timms_vgg_has_equal_features_and_logits_to_rounding(depth):
    # timm computes the linear layers as convolutions, which round otherwise: 1e-6 of their size.
    theirs = quick(timm.create_model, f"vgg{depth}")
    state = theirs.state_dict()
    assert infer(state) == VggConfig(depth=depth)
    with torch.device("meta"):
        ours = VggConfig(depth=depth).build()
    ours.load_state_dict(from_theirs(state, ours.to_empty(device="cpu")), assign=True)
    x = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        assert torch.equal(ours.eval().pools[4](ours.features(x)["C5"]), theirs.forward_features(x))
        torch.testing.assert_close(ours(x), theirs(x), rtol=1e-4, atol=1e-4)
    back = to_theirs(ours, "timm_vgg")
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in state)


def test_average_pool_shortcuts_are_timms():
    make = timm.models.resnet.ResNet
    theirs = quick(make, timm.models.resnet.Bottleneck, [3, 4, 6, 3], avg_down=True)
    config = ImagenetConfig(depth=50, stride_on="3x3", shortcut="average_projection")
    assert_same_net(theirs, config, "torchvision")


def test_weights_with_the_stride_elsewhere_are_refused_though_their_shapes_fit():
    with torch.device("meta"):
        ours, theirs = ImagenetConfig(depth=50).build(), torchvision.models.resnet50()
    with pytest.raises(CheckpointError, match="stride on the 3x3 convolution, this net on the 1x1"):
        from_theirs(theirs.state_dict(), ours)


def test_weights_with_other_pooling_are_refused_though_their_shapes_fit():
    with torch.device("meta"):
        ours = ImagenetConfig(depth=18, pool_rounding="ceil").build()
        theirs = torchvision.models.resnet18()
    with pytest.raises(CheckpointError, match="max-pooling that rounds down"):
        from_theirs(theirs.state_dict(), ours)


def test_weights_of_another_depth_are_refused_with_the_names_that_differ():
    with torch.device("meta"):
        ours = ImagenetConfig(depth=34).build()
        theirs = torchvision.models.resnet18()
    with pytest.raises(CheckpointError, match=r"layer1.2.conv1.weight is missing; .* more"):
        from_theirs(theirs.state_dict(), ours)


def test_timms_pre_activation_nets_are_recognised_and_refused_with_the_reason():
    with torch.device("meta"):
        theirs = timm.create_model("resnetv2_50")
    with pytest.raises(CheckpointError, match="pools before its first BN-ReLU"):
        infer(theirs.state_dict())


OTHERS = [
    *({"shortcut": name} for name in ("A", "none", "conv2x2", "constant_scaling")),
    *({"order": order} for order in ("bn_after_add", "relu_before_add", "full_preact")),
]


@pytest.mark.parametrize("choice", OTHERS, ids=str)
def test_other_computations_are_not_sold_as_torchvisions(choice):
    with torch.device("meta"):
        net = ImagenetConfig(depth=18, **choice).build()
    with pytest.raises(CheckpointError, match="cannot express"):
        to_theirs(net, "torchvision")
