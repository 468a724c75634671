"""What a session asks of what it trains, whether that names pictures or finds objects on them."""

from pathlib import Path
from typing import Any, Protocol

from torch import nn
from torch.optim import Optimizer

from residua.data.loading import Served
from residua.outcome import AnyResult, Course
from residua.train.loop import Terms
from residua.train.profile import Profile


class Work(Protocol):
    """A network on its device, with its data, its loss and its tests.

    Attributes:
        net: in the memory format of the batches.
        optimizer: of its parameters.
        fingerprints: of every part of the data.
        count: pictures that are learned from.
        look_every: epochs from one look at the validation pictures to the next.
        learner: what `loss` is handed, the net or something around it; its gradients are averaged
            over processes.
        compile: whether torch.compile joins its operations.
        partial: whether an update may leave out some of what learns.
    """

    net: nn.Module
    optimizer: Optimizer
    fingerprints: list[str]
    count: int
    look_every: int
    compile: bool
    partial: bool

    @property
    def learner(self) -> nn.Module: ...

    def before_update(self, iteration: int) -> None:
        """Do what an update needs first."""
        ...

    def batches(self, share: slice) -> Served[Any]:
        """Return what gives the batch of every iteration; of each, this process's share."""
        ...

    def loss(self, net: nn.Module, batch: Any) -> Terms:
        """Compute the terms of a batch; what is drawn at random is seeded for the update."""
        ...

    def profile(self, batch: int, most: int | None) -> Profile:
        """Measure what the units of the net keep and how long they take.

        Args:
            batch: pictures that pass at a time.
            most: bytes beyond which nothing is tried.
        """
        ...

    def validate(self) -> dict[str, float] | None:
        """Return what is recorded of the validation pictures; None without such pictures."""
        ...

    def rank(self, epoch: dict[str, Any]) -> tuple[float, ...]:
        """Order epochs by what `validate` recorded of them: the smallest is the best."""
        ...

    def test(self) -> Any:
        """Look at the test pictures, in all processes."""
        ...

    def conclude(self, found: Any, course: Course) -> tuple[AnyResult, dict[str, Any]]:
        """Return the result, and what else is recorded of what `test` found."""
        ...

    def description(self) -> dict[str, Any]:
        """Return what the record begins with: sizes of the parts, classes, layers."""
        ...

    def save_weights(self, path: Path) -> None:
        """Write the weights with what is needed to use them without the run."""
        ...

    def load_weights(self, folder: Path, which: str) -> None:
        """Take the "best" or "last" weights of a run."""
        ...

    def state(self) -> dict[str, Any]:
        """Return what was taken from the data and is needed to go on."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        ...
