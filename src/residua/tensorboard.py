"""The course of a training for TensorBoard, beside the record (the extra `tensorboard`)."""

from typing import Any

from residua.events import Event, Listener
from residua.extras import EXTRAS, require

FOLDER = "tensorboard"
NOT_DRAWN = {"kind", "time", "iteration"}


def beside(listen: Listener | None = None) -> Listener:
    """Make a listener that writes every epoch's numbers in the folder of the run.

    What was written of epochs that a resumed run goes through again is taken back.

    Args:
        listen: told of every event as well.

    Raises:
        ConfigError: TensorBoard is not installed.
    """
    require("drawing in TensorBoard", EXTRAS["tensorboard"])
    from torch.utils.tensorboard import SummaryWriter

    board: Any = None

    def heard(event: Event) -> None:
        nonlocal board
        if listen is not None:
            listen(event)
        if event["kind"] == "opened":
            board = SummaryWriter(str(event["folder"] / FOLDER), purge_step=event["iteration"] + 1)
        elif event["kind"] in {"epoch", "result", "stop"}:
            _draw(board, event)

    return heard


def _draw(board: Any, event: Event) -> None:
    if event["kind"] == "epoch":
        for name in event.keys() - NOT_DRAWN:
            board.add_scalar(_tag(name), event[name], event["iteration"])
        board.flush()
        return
    if event["kind"] == "result":
        board.add_scalar("test/error", event["test_error"], event["selected_iteration"])
    board.close()


def _tag(name: str) -> str:
    """Group training and validation numbers: "train_loss" is "train/loss"."""
    part, _, rest = name.partition("_")
    return f"{part}/{rest}" if part in {"train", "validation"} else name
