"""CIFAR-10 and CIFAR-100 as in He et al. 2016: activations, shortcuts, 164 and 1,001 layers.

As He et al. 2015 (64,000 updates of 128 pictures, rate 0.1 divided by 10 after 32,000 and 48,000,
crops and mirror images), but with the rate 0.01 for the first 400 updates of every net, and five
runs of each, of which the paper prints the median. Errors are of the last update, learned from all
training pictures. Above 20 % the paper prints "fail": such rows have no claim here.

The 110-layer nets have basic units and option A; those of 164 and 1,001 layers have bottlenecks,
and projections where the channels change.

Source: He et al., Identity Mappings, arXiv:1603.05027, tables 1 to 4.
"""

from dataclasses import replace

from residua.data.augment import PadCropFlip
from residua.data.cifar import Cifar10Config, Cifar100Config
from residua.data.normalize import ChannelStats, PixelMean
from residua.experiment import Claim, Experiment
from residua.nets.cifar import CifarConfig
from residua.nn.residuals import Order
from residua.nn.unit import Connection
from residua.train.optimize import SgdConfig
from residua.train.schedule import StepsConfig, iterations

__all__ = [
    "bn_after_add110",
    "bn_after_add164",
    "constant_scaling",
    "constant_scaling_half",
    "constant_scaling_plain",
    "conv_shortcut",
    "dropout_shortcut",
    "exclusive_gating",
    "exclusive_gating_0",
    "exclusive_gating_7",
    "original110",
    "original110_single",
    "original164",
    "original164_cifar100",
    "original1001",
    "original1001_cifar100",
    "preresnet110",
    "preresnet110_single",
    "preresnet164",
    "preresnet164_cifar100",
    "preresnet1001",
    "preresnet1001_batch64",
    "preresnet1001_cifar100",
    "relu_before_add110",
    "relu_before_add164",
    "relu_preact110",
    "relu_preact164",
    "shortcut_only_gating",
    "shortcut_only_gating_0",
]

SCHEDULE = StepsConfig(
    lr=0.1, at=(32_000, 48_000), factor=0.1, until=64_000, warmup=400, warmup_lr=0.01
)


def _cifar(
    name: str, net: CifarConfig, error: float | None, table: int, *, hundred: bool = False
) -> Experiment:
    source = f"arXiv:1603.05027, table {table}"
    return Experiment(
        name=f"preact.{name}",
        net=net,
        data=Cifar100Config() if hundred else Cifar10Config(),
        augment=PadCropFlip(pad=4),
        normalize=PixelMean(),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4),
        schedule=SCHEDULE,
        batch_size=128,
        claims=() if error is None else (Claim.error(error, source, statistic="median of 5"),),
    )


def _with_mean(experiment: Experiment, error: float) -> Experiment:
    """Claim the mean of the five runs too, where the paper prints it."""
    mean = Claim.error(error, "arXiv:1603.05027, table 4", statistic="mean of 5")
    return replace(experiment, claims=(*experiment.claims, mean))


def _basic(
    name: str,
    error: float | None,
    table: int,
    *,
    order: Order = "post",
    shortcut: Connection = "A",
    scales: tuple[float, float] = (0.5, 1.0),
    gate_bias: float = -6.0,
) -> Experiment:
    net = CifarConfig(depth=110, order=order, shortcut=shortcut, scales=scales, gate_bias=gate_bias)
    return _cifar(name, net, error, table)


def _single(name: str, error: float, order: Order) -> Experiment:
    return _cifar(name, CifarConfig(depth=110, block="single", order=order), error, 3)


def _bottleneck(
    name: str, depth: int, error: float, table: int, order: Order, *, hundred: bool = False
) -> Experiment:
    net = CifarConfig(
        depth=depth,
        block="bottleneck",
        shortcut="B",
        order=order,
        num_classes=100 if hundred else 10,
    )
    return _cifar(name, net, error, table, hundred=hundred)


def original110() -> Experiment:
    """ResNet-110 with the units of 2015: 6.61 % in the paper."""
    return _basic("original110", 6.61, 2)


def original110_single() -> Experiment:
    """108 units of one layer, of 2015: 9.90 % in the paper."""
    return _single("original110_single", 9.90, "post")


def original164() -> Experiment:
    """ResNet-164 with the units of 2015: 5.93 % in the paper."""
    return _bottleneck("original164", 164, 5.93, 2, "post")


def original1001() -> Experiment:
    """ResNet-1001 with the units of 2015: 7.61 % in the paper."""
    return _bottleneck("original1001", 1001, 7.61, 3, "post")


def original164_cifar100() -> Experiment:
    """ResNet-164 with the units of 2015 on CIFAR-100: 25.16 % in the paper."""
    return _bottleneck("original164_cifar100", 164, 25.16, 3, "post", hundred=True)


def original1001_cifar100() -> Experiment:
    """ResNet-1001 with the units of 2015 on CIFAR-100: 27.82 % in the paper."""
    return _bottleneck("original1001_cifar100", 1001, 27.82, 3, "post", hundred=True)


def preresnet110() -> Experiment:
    """Pre-activation ResNet-110: 6.37 % in the paper."""
    return _basic("preresnet110", 6.37, 2, order="full_preact")


def preresnet110_single() -> Experiment:
    """108 pre-activation units of one layer: 8.91 % in the paper."""
    return _single("preresnet110_single", 8.91, "full_preact")


def preresnet164() -> Experiment:
    """Pre-activation ResNet-164: 5.46 % in the paper."""
    return _bottleneck("preresnet164", 164, 5.46, 2, "full_preact")


def preresnet1001() -> Experiment:
    """Pre-activation ResNet-1001: 4.92 % in the paper, 4.89 % on average."""
    return _with_mean(_bottleneck("preresnet1001", 1001, 4.92, 3, "full_preact"), 4.89)


def preresnet164_cifar100() -> Experiment:
    """Pre-activation ResNet-164 on CIFAR-100: 24.33 % in the paper."""
    return _bottleneck("preresnet164_cifar100", 164, 24.33, 3, "full_preact", hundred=True)


def preresnet1001_cifar100() -> Experiment:
    """Pre-activation ResNet-1001 on CIFAR-100: 22.71 % in the paper, 22.68 % on average."""
    name = "preresnet1001_cifar100"
    return _with_mean(_bottleneck(name, 1001, 22.71, 3, "full_preact", hundred=True), 22.68)


def preresnet1001_batch64() -> Experiment:
    """Pre-activation ResNet-1001 with batches of 64: 4.62 % in the paper, 4.69 % on average.

    As the authors' release KaimingHe/resnet-1k-layers runs it, in fb.resnet.torch: 200 epochs, the
    rate divided by 10 from epochs 81 and 122 on, Nesterov's momentum, no warm-up, the mean and
    deviation of each channel.
    """
    epochs = [iterations(done, 50_000, 64) for done in (80, 121, 200)]
    experiment = _bottleneck("preresnet1001_batch64", 1001, 4.62, 4, "full_preact")
    return replace(
        _with_mean(experiment, 4.69),
        batch_size=64,
        normalize=ChannelStats(),
        schedule=StepsConfig(lr=0.1, at=tuple(epochs[:2]), factor=0.1, until=epochs[2]),
        optimizer=SgdConfig(momentum=0.9, weight_decay=1e-4, nesterov=True),
    )


def bn_after_add110() -> Experiment:
    """ResNet-110 with batch normalization after the addition: 8.17 % in the paper."""
    return _basic("bn_after_add110", 8.17, 2, order="bn_after_add")


def relu_before_add110() -> Experiment:
    """ResNet-110 with ReLU before the addition: 7.84 % in the paper."""
    return _basic("relu_before_add110", 7.84, 2, order="relu_before_add")


def relu_preact110() -> Experiment:
    """ResNet-110 with ReLU-only pre-activation: 6.71 % in the paper."""
    return _basic("relu_preact110", 6.71, 2, order="relu_preact")


def bn_after_add164() -> Experiment:
    """ResNet-164 with batch normalization after the addition: 6.50 % in the paper."""
    return _bottleneck("bn_after_add164", 164, 6.50, 2, "bn_after_add")


def relu_before_add164() -> Experiment:
    """ResNet-164 with ReLU before the addition: 6.14 % in the paper."""
    return _bottleneck("relu_before_add164", 164, 6.14, 2, "relu_before_add")


def relu_preact164() -> Experiment:
    """ResNet-164 with ReLU-only pre-activation: 5.91 % in the paper."""
    return _bottleneck("relu_preact164", 164, 5.91, 2, "relu_preact")


def constant_scaling() -> Experiment:
    """ResNet-110 with shortcut and residual halved: 12.35 % in the paper."""
    return _basic("constant_scaling", 12.35, 1, shortcut="constant_scaling", scales=(0.5, 0.5))


def constant_scaling_half() -> Experiment:
    """ResNet-110 with the shortcut halved: fails in the paper."""
    return _basic("constant_scaling_half", None, 1, shortcut="constant_scaling", scales=(0.5, 1.0))


def constant_scaling_plain() -> Experiment:
    """ResNet-110 with the shortcut times zero, a plain net: fails in the paper."""
    return _basic("constant_scaling_plain", None, 1, shortcut="constant_scaling", scales=(0.0, 1.0))


def exclusive_gating() -> Experiment:
    """ResNet-110 with `(1 - g) x + g F`, the gates' biases from -6 on: 8.70 % in the paper."""
    return _basic("exclusive_gating", 8.70, 1, shortcut="exclusive_gating", gate_bias=-6.0)


def exclusive_gating_0() -> Experiment:
    """ResNet-110 with `(1 - g) x + g F`, the gates' biases from 0 on: fails in the paper."""
    return _basic("exclusive_gating_0", None, 1, shortcut="exclusive_gating", gate_bias=0.0)


def exclusive_gating_7() -> Experiment:
    """ResNet-110 with `(1 - g) x + g F`, the gates' biases from -7 on: 9.81 % in the paper."""
    return _basic("exclusive_gating_7", 9.81, 1, shortcut="exclusive_gating", gate_bias=-7.0)


def shortcut_only_gating() -> Experiment:
    """ResNet-110 with `(1 - g) x + F`, the gates' biases from -6 on: 6.91 % in the paper."""
    return _basic("shortcut_only_gating", 6.91, 1, shortcut="shortcut_only_gating", gate_bias=-6.0)


def shortcut_only_gating_0() -> Experiment:
    """ResNet-110 with `(1 - g) x + F`, the gates' biases from 0 on: 12.86 % in the paper."""
    return _basic(
        "shortcut_only_gating_0", 12.86, 1, shortcut="shortcut_only_gating", gate_bias=0.0
    )


def conv_shortcut() -> Experiment:
    """ResNet-110 with a 1x1 convolution on every shortcut: 12.22 % in the paper."""
    return _basic("conv_shortcut", 12.22, 1, shortcut="C")


def dropout_shortcut() -> Experiment:
    """ResNet-110 with dropout of one half on every shortcut: fails in the paper."""
    return _basic("dropout_shortcut", None, 1, shortcut="dropout")
