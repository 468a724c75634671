"""What every network must do, by family: settings, features, tracing, export, bad input."""

import copy
import dataclasses
import inspect
import time
import typing

import pytest
import torch
from torch import fx, nn

from residua.errors import ConfigError, ShapeError
from residua.nets import cifar, dense, highway, imagenet, mnist, vgg, wide
from residua.nets.catalogue import NETS
from residua.nets.cifar import CifarConfig
from residua.nets.dense import DenseConfig
from residua.nets.highway import HighwayConfig
from residua.nets.imagenet import ImagenetConfig
from residua.nets.mnist import MnistConfig
from residua.nets.vgg import VggConfig
from residua.nets.wide import WideConfig

FAMILIES = {
    CifarConfig: cifar.resnet,
    DenseConfig: dense.dense,
    HighwayConfig: highway.highway,
    ImagenetConfig: imagenet.resnet,
    MnistConfig: mnist.mnist_net,
    VggConfig: vgg.vgg,
    WideConfig: wide.wide_resnet,
}

# Small members of every family, with every kind of block; pictures as small as they take.
SMALL = {
    "cifar": (CifarConfig(depth=8), 9),
    "cifar B": (CifarConfig(depth=8, shortcut="B", zero_init_residual=True), 8),
    "cifar plain": (CifarConfig(depth=8, shortcut="none"), 8),
    "cifar preact": (CifarConfig(depth=8, order="full_preact"), 9),
    "cifar preact bottleneck": (
        CifarConfig(depth=11, block="bottleneck", shortcut="B", order="full_preact"),
        9,
    ),
    "cifar bn_after_add": (CifarConfig(depth=8, order="bn_after_add"), 8),
    "cifar relu_before_add": (CifarConfig(depth=8, order="relu_before_add"), 8),
    "cifar relu_preact": (CifarConfig(depth=8, order="relu_preact"), 8),
    "cifar single": (CifarConfig(depth=5, block="single"), 8),
    "cifar stochastic": (CifarConfig(depth=8, shortcut="average_pad", survival=0.5), 9),
    "cifar gated": (CifarConfig(depth=8, shortcut="exclusive_gating"), 9),
    "cifar gated shortcut": (CifarConfig(depth=8, shortcut="shortcut_only_gating"), 8),
    "cifar scaled": (CifarConfig(depth=8, shortcut="constant_scaling"), 8),
    "cifar dropout": (CifarConfig(depth=8, shortcut="dropout"), 8),
    "wide": (WideConfig(depth=10, widen=2.0, dropout=0.3), 9),
    "wide B(1,3,1)": (WideConfig(depth=13, widen=2.0, kernels=(1, 3, 1)), 8),
    "imagenet": (ImagenetConfig(depth=18), 33),
    "imagenet 3x3": (ImagenetConfig(depth=50, stride_on="3x3"), 33),
    "imagenet preact": (ImagenetConfig(depth=18, order="full_preact"), 33),
    "imagenet slides": (ImagenetConfig(depth=18, shortcut="conv2x2_bias", norm=False), 45),
    "imagenet averaged": (ImagenetConfig(depth=18, shortcut="average_projection"), 45),
    "imagenet caffe": (ImagenetConfig(depth=18, pool_rounding="ceil"), 33),
    "highway mnist": (HighwayConfig(layout="mnist10", width=4), 28),
    "highway cifar": (HighwayConfig(layout="cifar19", width=4), 9),
    "highway separate": (HighwayConfig(layout="cifar11_conjecture", gating="separate"), 9),
    "highway plain": (HighwayConfig(layout="cifar19", width=4, gating="none"), 9),
    "mnist code": (MnistConfig(depth=10), 28),
    "mnist blog average": (MnistConfig(depth=10, reading="blog", head="average"), 29),
    "mnist printed": (MnistConfig(depth=10, reading="printed", shortcut="none"), 28),
    "mnist max_pool": (MnistConfig(depth=10, head="max_pool"), 28),
    "dense residual": (DenseConfig(depth=6, width=8), 28),
    "dense highway": (DenseConfig(depth=5, width=8, join="highway_separate"), 28),
    "dense plain": (DenseConfig(depth=5, width=8, join="none"), 28),
    "vgg": (VggConfig(depth=16, num_classes=3), 33),
}
# One net of each family through the slow compilers.
PER_FAMILY = ("cifar", "cifar preact", "wide", "imagenet", "highway cifar", "mnist code", "vgg")
PER_FAMILY += ("dense residual", "cifar stochastic", "cifar gated")


@pytest.fixture(scope="module")
def built():
    """Build each small net once; tests leave it as it is."""
    nets = {}

    def build(name):
        if name not in nets:
            torch.manual_seed(0)
            config, size = SMALL[name]
            nets[name] = config.build().eval(), torch.randn(2, config.input_shape[0], size, size)
        return nets[name]

    return build


@pytest.mark.parametrize(("config", "function"), FAMILIES.items(), ids=lambda x: x.__name__)
def test_settings_are_the_arguments_of_the_function(config, function):
    fields = {f.name: f.default for f in dataclasses.fields(config) if f.name != "kind"}
    parameters = inspect.signature(function).parameters
    assert fields == {name: parameter.default for name, parameter in parameters.items()}


# VGG's 138 million parameters have nothing of ours in their gradient.
@pytest.mark.parametrize("name", [name for name in SMALL if name != "vgg"])
def test_pictures_become_logits_and_everything_gets_a_gradient(name, built):
    net, x = built(name)
    net = copy.deepcopy(net).train()
    for module in net.modules():
        if hasattr(module, "survival"):
            module.survival = 1.0
    logits = net(x)
    assert logits.shape == (2, SMALL[name][0].num_classes)
    logits.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in net.parameters())


@pytest.mark.parametrize("name", SMALL)
def test_features_are_the_outputs_of_the_stages(name, built):
    net, x = built(name)
    outputs = net.features(x)
    assert list(outputs) == [f"C{n}" for n in range(1, len(outputs) + 1)]
    if not isinstance(net, vgg.VGG):
        last = list(outputs.values())[-1]
        assert torch.equal(net.head(net.average(net.last(last))), net(x))


def test_features_of_an_imagenet_net_have_strides_2_to_32():
    net = ImagenetConfig(depth=18).build().eval()
    outputs = net.features(torch.randn(1, 3, 65, 97))
    assert {name: tuple(c.shape[1:]) for name, c in outputs.items()} == {
        "C1": (64, 33, 49),
        "C2": (64, 17, 25),
        "C3": (128, 9, 13),
        "C4": (256, 5, 7),
        "C5": (512, 3, 4),
    }


@pytest.mark.parametrize("name", SMALL)
def test_every_relu_is_used_once(name, built):
    net, x = built(name)
    calls = []
    hooks = [m.register_forward_hook(lambda m, *_: calls.append(m)) for m in relus(net)]
    with torch.no_grad():
        net(x)
    for hook in hooks:
        hook.remove()
    assert len(calls) == len(set(calls)) == len(relus(net))


def relus(net):
    return [module for module in net.modules() if isinstance(module, nn.ReLU)]


@pytest.mark.parametrize("name", SMALL)
def test_tracing_gives_the_same_logits(name, built):
    net, x = built(name)
    with torch.no_grad():
        assert torch.equal(fx.symbolic_trace(copy.deepcopy(net))(x), net(x))


@pytest.mark.parametrize("name", SMALL)
def test_export_gives_the_same_logits(name, built):
    net, x = built(name)
    batch = {0: torch.export.Dim("batch", min=2)}
    program = torch.export.export(net, (x,), dynamic_shapes=(batch,))
    more = torch.cat([x, x])
    with torch.no_grad():
        torch.testing.assert_close(program.module()(more), net(more), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", PER_FAMILY)
def test_compilation_gives_the_same_logits(name, built):
    net, x = built(name)
    torch._dynamo.reset()
    compiled = torch.compile(net, backend="aot_eager")
    with torch.no_grad():
        torch.testing.assert_close(compiled(x), net(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 32, 32), r"images must be N, C, H, W, got 3 dimensions: 3x32x32 \(add a batch"),
        ((1, 1, 32, 32), r"must have 3 channels, got 1 in 1x1x32x32"),
        ((1, 3, 3, 32), r"at least 4x4 pixels, got 3x32"),
    ],
)
def test_pictures_that_do_not_fit_are_refused(shape, message):
    net = CifarConfig(depth=8).build()
    for call in (net, net.features):
        with pytest.raises(ShapeError, match=message):
            call(torch.zeros(shape))


def test_a_head_made_for_one_size_says_so():
    with pytest.raises(ShapeError, match=r"must be 28x28 pixels, got 32x32"):
        MnistConfig(depth=10).build()(torch.zeros(1, 1, 32, 32))


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (CifarConfig(depth=21), r"6n\+2 for basic blocks, got 21 \(try 20 or 26\)"),
        (CifarConfig(depth=111, block="bottleneck"), r"9n\+2 .* got 111 \(try 110 or 119\)"),
        (CifarConfig(depth=6, block="single"), r"3n\+2 for single blocks, got 6 \(try 5 or 8\)"),
        (CifarConfig(depth=2), r"try 8"),
        (WideConfig(depth=27), r"6N\+4 .* got 27 \(try 22 or 28"),
        (WideConfig(widen=1.3), r"widths must be whole channels: 16 x 1.3 = 20.8 \(try"),
        (WideConfig(kernels=(2, 2)), r"kernels must be odd"),
        (ImagenetConfig(depth=51), r"depth must be one of 18, 34, .* got 51 \(try 34 or 50\)"),
        (ImagenetConfig(widen=0.7), r"widths must be whole"),
        (ImagenetConfig(stride_on="2x2"), r"stride_on must be 1x1 or 3x3, got '2x2'"),
        (ImagenetConfig(pool_rounding="up"), r"pool_rounding must be floor or ceil, got 'up'"),
        (HighwayConfig(layout="x"), r"layout must be one of mnist10"),
        (HighwayConfig(width=7), r"width must be a positive even number of channels, got 7"),
        (HighwayConfig(gating="x"), r"gating must be coupled, separate or none, got 'x'"),
        (MnistConfig(depth=35), r"6N\+10 for the MNIST nets, got 35 \(try 34 or 40\)"),
        (MnistConfig(reading="printed"), r"'printed' is a plain net"),
        (MnistConfig(reading="x"), r"reading must be code, blog or printed"),
        (MnistConfig(shortcut="A"), r"shortcut must be projection or none"),
        (MnistConfig(head="x"), r"head must be flatten, max_pool or average"),
        (DenseConfig(depth=7), r"2n\+2 for fully connected residual nets, got 7 \(try 6 or 8\)"),
        (DenseConfig(depth=1, join="none"), r"depth must be at least 2, got 1"),
        (DenseConfig(join="x"), r"join must be one of residual"),
        (DenseConfig(width=0), r"width must be positive, got 0"),
        (VggConfig(depth=11), r"depth must be 16 or 19 for vgg, got 11"),
        (CifarConfig(block="x"), r"block must be one of basic"),
        (CifarConfig(shortcut="none", zero_init_residual=True), r"this is a plain net"),
        (HighwayConfig(zero_init_residual=True), r"this is a highway net"),
        (MnistConfig(zero_init_residual=True), r"ends in ReLU"),
    ],
    ids=lambda value: repr(value) if dataclasses.is_dataclass(value) else "",
)
def test_settings_that_do_not_fit_are_refused_with_a_sentence(config, message):
    with pytest.raises(ConfigError, match=message), torch.device("meta"):
        config.build()


@pytest.mark.parametrize("config", FAMILIES, ids=lambda c: c.__name__)
def test_closed_choices_are_those_that_build(config):
    hints = typing.get_type_hints(config)
    choices = {
        n: typing.get_args(h) for n, h in hints.items() if typing.get_origin(h) is typing.Literal
    }
    for name, values in choices.items():
        for value in values:
            extra = {}
            if config is MnistConfig and value == "printed":
                extra = {"shortcut": "none"}
            if name != "kind":
                with torch.device("meta"):
                    config(**{name: value}, **extra).build()


@pytest.mark.parametrize("order", ["full_preact", "post"])
def test_zero_init_residual_starts_every_unit_as_its_shortcut(order):
    net = CifarConfig(depth=8, order=order, zero_init_residual=True).build().eval()
    x = torch.randn(2, 3, 8, 8)
    outputs = net.features(x)
    for before, after in (("C1", "C2"), ("C2", "C3"), ("C3", "C4")):
        block = net.stages[int(before[1]) - 1][0]
        assert torch.equal(outputs[after], block.after(block.shortcut(outputs[before])))


def test_in_a_pre_activation_net_the_signal_is_the_sum_of_all_residuals():
    torch.manual_seed(0)
    net = CifarConfig(depth=56, order="full_preact").build().eval().double()
    x = net.features(torch.randn(2, 3, 16, 16, dtype=torch.double))["C1"]
    total = x
    for block in (block for stage in net.stages for block in stage):
        total = block.shortcut(total) + block.residual(x)
        x = block(x)
    assert (x - total).abs().max() <= 1e-5 * x.abs().max()


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110])
def test_plain_twins_have_the_parameters_of_option_a(depth):
    with torch.device("meta"):
        nets = [CifarConfig(depth=depth, shortcut=name).build() for name in ("A", "none")]
    assert nets[0].state_dict().keys() == nets[1].state_dict().keys()


@pytest.mark.parametrize("name", ["cifar.resnet1202", "cifar.preresnet1001"])
def test_a_thousand_layers_build_in_seconds_and_run(name):
    began = time.process_time()
    net = NETS[name].build()
    assert time.process_time() - began < 3
    with torch.no_grad():  # in training mode: without statistics 600 additions overflow
        assert net(torch.randn(2, 3, 8, 8)).isfinite().all()


def test_gates_start_closed():
    net = HighwayConfig(layout="mnist10", width=4, gating="separate").build()
    block = net.stages[0].block1
    assert set(block.gate.weights.bias.tolist()) == {-1.0}
    assert set(block.carry.weights.bias.tolist()) == {1.0}


def test_the_printed_plain_net_has_the_sizes_of_convolutions_without_padding():
    net = MnistConfig(depth=16, reading="printed", shortcut="none").build().eval()
    sizes = [c.shape[-1] for c in net.features(torch.zeros(1, 1, 28, 28)).values()]
    assert sizes == [28, 13, 6, 2]
    assert not [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]


def test_stochastic_depth_falls_linearly_to_its_last_survival():
    net = NETS["cifar.stochastic110"].build()
    survivals = [block.survival for stage in net.stages for block in stage]
    assert len(survivals) == 54
    assert survivals[-1] == 0.5
    assert sum(survivals) == pytest.approx(40.25)
