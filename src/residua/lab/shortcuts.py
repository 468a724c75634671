"""Every shortcut that the two papers compare, on one residual network.

Sources:
    [R] He et al., Deep Residual Learning, arXiv:1512.03385, table 3: ImageNet, 34 layers, top-1
        error of 10 crops in percent.
    [P] He et al., Identity Mappings, arXiv:1603.05027, table 1: CIFAR-10, ResNet-110, test error in
        percent, medians of five; "fail" is an error above 20 %.
"""

from dataclasses import dataclass, field
from typing import Any

from residua.lab.compared import Comparison, Setting
from residua.lab.ground import Ground

TABLE_3 = "2015: ImageNet-34"
TABLE_1 = "2016: ResNet-110"


@dataclass(frozen=True)
class Shortcut:
    """A row of a table: its name, its formula, the settings of `CifarConfig`, what is printed."""

    slug: str
    name: str
    does: str
    choices: dict[str, Any]
    printed_3: str = ""
    printed_1: str = ""
    paper: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        printed = {TABLE_3: self.printed_3, TABLE_1: self.printed_1}
        known = {column: words for column, words in printed.items() if words}
        object.__setattr__(self, "paper", known)


def _scaled(shortcut: float, residual: float) -> dict[str, Any]:
    return {"shortcut": "constant_scaling", "scales": (shortcut, residual)}


def _gated(which: str, bias: float) -> dict[str, Any]:
    return {"shortcut": f"{which}_gating", "gate_bias": bias}


SHORTCUTS = (
    Shortcut(
        "plain", "none (plain)", "F(x), which is also a shortcut times 0",
        {"shortcut": "none"}, "28.54", "fail",
    ),
    Shortcut(
        "a", "A: identity", "F(x) + x, with zeros for the channels that are added",
        {"shortcut": "A"}, "25.03", "6.61",
    ),
    Shortcut(
        "b", "B: projections", "F(x) + W x where the shape changes, else F(x) + x",
        {"shortcut": "B"}, "24.52",
    ),
    Shortcut(
        "c", "C: all projections", "F(x) + W x everywhere: in 2016 the 1x1 conv shortcut",
        {"shortcut": "C"}, "24.19", "12.22",
    ),
    Shortcut(
        "scaled_half", "scaled, 0.5 and 1", "F(x) + 0.5 x", _scaled(0.5, 1.0), "", "fail",
    ),
    Shortcut(
        "scaled_halves", "scaled, 0.5 and 0.5", "0.5 F(x) + 0.5 x", _scaled(0.5, 0.5), "", "12.35",
    ),
    Shortcut(
        "exclusive_0", "exclusive gate, from 0", "g F(x) + (1 - g) x, the bias of g from 0 on",
        _gated("exclusive", 0.0), "", "fail",
    ),
    Shortcut(
        "exclusive_6", "exclusive gate, from -6", "g F(x) + (1 - g) x, the bias of g from -6 on",
        _gated("exclusive", -6.0), "", "8.70",
    ),
    Shortcut(
        "exclusive_7", "exclusive gate, from -7", "g F(x) + (1 - g) x, the bias of g from -7 on",
        _gated("exclusive", -7.0), "", "9.81",
    ),
    Shortcut(
        "gated_0", "shortcut gate, from 0", "F(x) + (1 - g) x, the bias of g from 0 on",
        _gated("shortcut_only", 0.0), "", "12.86",
    ),
    Shortcut(
        "gated_6", "shortcut gate, from -6", "F(x) + (1 - g) x, the bias of g from -6 on",
        _gated("shortcut_only", -6.0), "", "6.91",
    ),
    Shortcut(
        "dropout", "dropout, 0.5", "F(x) + x with half of x dropped in training",
        {"shortcut": "dropout"}, "", "fail",
    ),
)  # fmt: skip

NOTES = (
    "In 2015 a projection is a 1x1 convolution with batch normalization; the paper of 2016 trains "
    "ResNet-110 with ReLU after the addition, and calls an error above 20 % a failure. What the "
    "papers print is of other pictures, depths and lengths: compare the order, not the values.",
    "The settings have unequal parameters where a shortcut or a gate is learned: the table counts "
    "them.",
)


def shortcuts(on: Ground, depth: int = 56) -> Comparison:
    """Say what is compared.

    Args:
        on: what is learned from.
        depth: weighted layers, 6n+2.

    Raises:
        ConfigError: there is no net of such a depth.
    """
    settings = [
        Setting(
            name=each.name,
            does=each.does,
            paper=each.paper,
            experiment=on.with_net(f"{each.slug}{depth}", depth=depth, **each.choices),
        )
        for each in SHORTCUTS
    ]
    return Comparison(
        name="shortcuts",
        title=f"{len(settings)} shortcuts of a residual network with {depth} layers",
        settings=settings,
        source="After He et al. 2015, arXiv:1512.03385, table 3 (ImageNet, 34 layers, top-1 error "
        "of 10 crops), and 2016, arXiv:1603.05027, table 1 (CIFAR-10, medians of 5).",
        notes=NOTES,
    )
