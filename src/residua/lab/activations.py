"""The five orders of batch normalization, ReLU and addition, on one residual network.

Source:
    [P] He et al., Identity Mappings, arXiv:1603.05027, figure 4 and table 2: CIFAR-10, test error
        in percent, medians of five.
"""

from residua.lab.compared import Comparison, Setting
from residua.lab.ground import Ground
from residua.nn.residuals import Order
from residua.nn.unit import BlockName

BASIC = "2016: ResNet-110"
BOTTLENECK = "2016: ResNet-164"

ORDERS: dict[Order, tuple[str, str, str, str]] = {
    "post": ("original", "relu(x + F(x)), F = conv BN ReLU conv BN", "6.61", "5.93"),
    "bn_after_add": ("BN after addition", "relu(BN(x + F(x)))", "8.17", "6.50"),
    "relu_before_add": ("ReLU before addition", "x + relu(F(x))", "7.84", "6.14"),
    "relu_preact": (
        "ReLU-only pre-activation",
        "x + F(relu(x)), BN after the convs",
        "6.71",
        "5.91",
    ),
    "full_preact": ("full pre-activation", "x + F(relu(BN(x)))", "6.37", "5.46"),
}

NOTES = (
    "All orders have the same parts: convolutions, batch normalization and ReLU are only moved. "
    "Their parameters differ by the few normalizations that stand elsewhere.",
    "The differences in the paper are below two points, at 110 and 164 layers after 64,000 "
    "updates: shallow networks and short trainings need not show them.",
)


def activations(on: Ground, depth: int = 56, *, block: BlockName = "basic") -> Comparison:
    """Say what is compared.

    Args:
        on: what is learned from.
        depth: weighted layers: 6n+2 of basic units, 9n+2 of bottlenecks.
        block: "basic" as ResNet-110, "bottleneck" as ResNet-164.

    Raises:
        ConfigError: there is no net of such a depth.
    """
    shortcut = "B" if block == "bottleneck" else "A"
    settings = [
        Setting(
            name=name,
            does=does,
            paper={BASIC: basic, BOTTLENECK: bottleneck},
            experiment=on.with_net(
                f"{order}{depth}", depth=depth, block=block, shortcut=shortcut, order=order
            ),
        )
        for order, (name, does, basic, bottleneck) in ORDERS.items()
    ]
    return Comparison(
        name="activations",
        title=f"Five orders of activation in a network of {depth} layers ({block} units)",
        settings=settings,
        source="After He et al. 2016, arXiv:1603.05027, figure 4 and "
        "table 2: CIFAR-10, medians of 5.",
        notes=NOTES,
    )
