"""Alternating training in four steps: what each of them trains, and on whose proposals.

    1  the proposer learns to propose, on a trunk of its own
    2  the detector learns to classify what the proposer proposes
    3  the detector, its trunk fixed, learns to propose
    4  the detector goes on learning to classify, what it proposes itself

The detector remains.

Sources:
    [F] Ren et al., Faster R-CNN, arXiv:1506.01497, section 3.2, "4-Step Alternating Training".
"""

import copy
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Generator, Tensor, nn

from residua.detect.faster_rcnn import FasterRcnn, Labelled, Term

Part = Literal["trunk", "rpn", "head", "predict"]
PARTS: tuple[Part, ...] = ("trunk", "rpn", "head", "predict")
Net = Literal["proposer", "detector"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """One of the four trainings. Two nets are built on the same classifier.

    Args:
        net: which of them is trained.
        terms: of the loss.
        learns: the parts that do; the others stay as they are.
        proposals: whose regions are learned from, if any.
    """

    net: Net
    terms: tuple[Term, ...]
    learns: tuple[Part, ...]
    proposals: Net | None = None


# The second net's trunk is that of the classifier until step 2, and its RPN is new until step 3.
STEPS: tuple[Step, ...] = (
    Step(net="proposer", terms=("rpn",), learns=("trunk", "rpn")),
    Step(
        net="detector",
        terms=("roi",),
        learns=("trunk", "head", "predict"),
        proposals="proposer",
    ),
    Step(net="detector", terms=("rpn",), learns=("rpn",)),
    Step(net="detector", terms=("roi",), learns=("head", "predict"), proposals="detector"),
)


def learn_only(detector: FasterRcnn, parts: tuple[Part, ...] = PARTS) -> list[nn.Parameter]:
    """Let some parts of a detector learn and keep the others, and return what learns.

    What was frozen when the detector was built stays frozen.

    Args:
        detector: is changed; all parts, the default, make it as it was built.
        parts: those that learn.
    """
    learning = []
    for name, parameter in detector.named_parameters():
        learns = name in detector.learnable and name.partition(".")[0] in parts
        parameter.requires_grad_(learns)
        if learns:
            learning.append(parameter)
    return learning


class Alternating(nn.Module):
    """The two nets in training; `begin` says in which step.

    Args:
        detector: what remains; the proposer begins as its copy.
    """

    def __init__(self, detector: FasterRcnn) -> None:
        super().__init__()
        self.detector = detector
        self.proposer = copy.deepcopy(detector)
        self.step = STEPS[0]

    def begin(self, number: int) -> None:
        """Go over to a step, counted from 0: its parts learn, and no others."""
        self.step = step = STEPS[number]
        learn_only(self.proposer, step.learns if step.net == "proposer" else ())
        learn_only(self.detector, step.learns if step.net == "detector" else ())

    def losses(self, batch: Labelled, generator: Generator) -> dict[str, Tensor]:
        """Return the terms of the loss of the step, and their sum as "loss"."""
        step, found = self.step, None
        if step.proposals == "proposer":
            with torch.no_grad():
                features = self.proposer.features(batch.images_NCHW)
                found = self.proposer.propose(features, batch.sizes_N2, batch.scales_N)
        net = self.proposer if step.net == "proposer" else self.detector
        return net.losses(batch, generator, terms=step.terms, proposals=found)
