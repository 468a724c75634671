"""A net with added shortcuts in a folder: the plan, the weights, and the code that joins them.

Nothing is pickled: `rebuild` builds the net as it was, applies the plan, and fills in the weights.
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from residua import files
from residua.errors import CheckpointError, ShapeError
from residua.nets.reading import read as read_arrays
from residua.nets.weights import fill, save
from residua.surgery import plan as plans
from residua.surgery.plan import Plan
from residua.surgery.residualize import applied

PLAN = "plan.yaml"
WEIGHTS = "weights.safetensors"
CODE = "rebuild.py"

SOURCE = '''"""{what} with {count}: y = F(x) + g h(x).

The net is built as it was before, the shortcuts of {plan} are added, and {weights} is filled in.
"""

from pathlib import Path

{imports}
from residua.surgery.folder import rebuild


def net():
    """Build the net with its shortcuts and weights, in evaluation mode."""
    return rebuild({call}, Path(__file__).parent)


if __name__ == "__main__":
    print(net())
'''


def write(
    folder: str | Path,
    net: nn.Module,
    plan: Plan,
    *,
    imports: str,
    call: str,
    left: tuple[str, ...] = (),
) -> None:
    """Write plan.yaml, weights.safetensors and rebuild.py.

    Args:
        folder: is made if need be; files of these names are replaced.
        net: with its shortcuts.
        plan: that it was made by.
        imports: the line that imports what builds the net as it was.
        call: the expression that does.
        left: parts that are not bridged, for comments in the plan.

    Raises:
        RunError: it could not be written.
    """
    folder = Path(folder)
    count = f"{len(plan.spans)} shortcut{'s' if len(plan.spans) > 1 else ''} added"
    source = SOURCE.format(
        what=plan.net, count=count, plan=PLAN, weights=WEIGHTS, imports=imports, call=call
    )
    files.write(folder / PLAN, plans.write(plan, left))
    save(net, folder / WEIGHTS)
    files.write(folder / CODE, source)


def read_plan(path: str | Path) -> Plan:
    """Read a plan from a file, or from the folder that `write` made.

    Raises:
        CheckpointError: there is none.
        ConfigError: it is none; every fault is named.
    """
    path = Path(path)
    path = path / PLAN if path.is_dir() else path
    if not path.is_file():
        raise CheckpointError(f"{path}: no such plan (residua residualize MODULE:ATTR writes one)")
    return plans.read(path.read_text(), where=str(path))


def rebuild(
    net: nn.Module, folder: str | Path, *, example: Tensor | tuple[Any, ...] | None = None
) -> nn.Module:
    """Give a net the shortcuts and weights of a folder.

    Args:
        net: as it was before; its weights do not matter, and it stays as it is.
        folder: with plan.yaml and weights.safetensors, as `write` or your own training left them.
        example: what the net takes; zeros of the shapes that the plan names if not given.

    Returns:
        The net in evaluation mode.

    Raises:
        CheckpointError: a file is missing or damaged, or the weights are of another net.
        ConfigError: the plan does not fit the net.
        ShapeError: the net does not take the example.
    """
    folder = Path(folder)
    plan = read_plan(folder)
    like = next((p for p in net.parameters() if p.is_floating_point()), torch.empty(0))
    if example is None:
        example = tuple(_zeros(shape, like) for shape in plan.example)
    inputs = example if isinstance(example, tuple) else (example,)
    made = applied(net, plan, inputs)
    state, _ = read_arrays(folder / WEIGHTS)
    fill(made, state, folder / WEIGHTS)
    return made.eval()


def _zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    try:
        return torch.zeros(shape, dtype=like.dtype, device=like.device)
    except RuntimeError as error:
        raise ShapeError(f"plan: example {list(shape)} is no shape: {error}") from None
