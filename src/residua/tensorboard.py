"""The course of a training for TensorBoard, beside the record (the extra `tensorboard`)."""

from pathlib import Path

from residua.errors import ConfigError
from residua.events import Event, Listener

FOLDER = "tensorboard"
NOT_DRAWN = {"kind", "time", "iteration"}


def beside(folder: Path, listen: Listener | None, *, iteration: int = 0) -> Listener:
    """Make a listener that writes every epoch's numbers below a run folder, and hands events on.

    Args:
        folder: of the run.
        listen: told of every event as well.
        iteration: from which a resumed run goes on; what was written of later ones is taken back.

    Raises:
        ConfigError: TensorBoard is not installed.
    """
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        message = "TensorBoard is not installed: pip install 'residua[tensorboard]'"
        raise ConfigError(message) from None
    writer = SummaryWriter(str(folder / FOLDER), purge_step=iteration + 1 if iteration else None)

    def heard(event: Event) -> None:
        if listen is not None:
            listen(event)
        if event["kind"] == "epoch":
            for name in event.keys() - NOT_DRAWN:
                writer.add_scalar(_tag(name), event[name], event["iteration"])
            writer.flush()
        elif event["kind"] in {"result", "stop"}:
            if "test_error" in event:
                writer.add_scalar("test/error", event["test_error"], event["selected_iteration"])
            writer.close()

    return heard


def _tag(name: str) -> str:
    """Group training and validation numbers: "train_loss" is "train/loss"."""
    part, _, rest = name.partition("_")
    return f"{part}/{rest}" if part in {"train", "validation"} else name
