"""What the modules of a net take and give while it runs, where nothing can be traced.

Dimension key:
    N batch   everything else as the net has it
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from residua.errors import ConfigError, ShapeError
from residua.surgery.bridge import Shape
from residua.surgery.layers import counts, is_unit

ADDITIONS = (torch.ops.aten.add.Tensor, torch.ops.aten.add_.Tensor)


@dataclass
class Call:
    """One call of a module.

    Attributes:
        name: path of the module.
        begin: place of the call in the order of all.
        x: shape of what it took; None unless that was one tensor.
        end: place of its return.
        f: shape of what it gave; None unless that is one tensor.
        layers: weight layers that were called in it, itself included.
        adds: whether two tensors of one shape were added in it.
    """

    name: str
    begin: int
    x: Shape | None
    end: int = 0
    f: Shape | None = None
    layers: int = 0
    adds: bool = False


def record(net: nn.Module, inputs: tuple[Any, ...]) -> list[Call]:
    """Run a net in evaluation, and list the calls of its modules in the order of their beginning.

    Args:
        net: is in evaluation mode afterwards.
        inputs: an example of what it takes.

    Raises:
        ShapeError: it does not take the example; the module that refused is named.
    """
    recorder = _Recorder()
    with recorder.listening(net), torch.no_grad():
        try:
            with _Additions(recorder):
                net.eval()(*inputs)
        except ShapeError:
            raise
        except Exception as error:
            raise ShapeError(_refusal(net, inputs, recorder.open, error)) from error
    return recorder.calls


def skeleton(net: nn.Module) -> nn.Module:
    """Copy a net but for its parameters and buffers, which both then have.

    Raises:
        ConfigError: it cannot be copied.
    """
    shared: dict[int, Any] = {id(each): each for each in (*net.parameters(), *net.buffers())}
    return _copied(net, shared)


def copied(net: nn.Module) -> nn.Module:
    """Copy a net with all it has.

    Raises:
        ConfigError: it cannot be copied.
    """
    return _copied(net, {})


def _copied(net: nn.Module, shared: dict[int, Any]) -> nn.Module:
    try:
        return copy.deepcopy(net, shared)
    except Exception as error:
        raise ConfigError(
            f"{type(net).__name__} cannot be copied by copy.deepcopy, and what is given is never "
            f"changed: {error}"
        ) from error


def shape_of(values: object) -> Shape | None:
    """Return the shape of a single tensor, alone or in a tuple; None of anything else."""
    if isinstance(values, tuple) and len(values) == 1:
        values = values[0]
    return tuple(values.shape) if isinstance(values, Tensor) else None


class _Recorder:
    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.open: list[Call] = []
        self.clock = 0

    @contextmanager
    def listening(self, net: nn.Module) -> Iterator[None]:
        """Listen to every module but the net itself."""
        handles = []
        for name, module in net.named_modules():
            if name:
                handles.append(module.register_forward_pre_hook(self._opener(name)))
                handles.append(module.register_forward_hook(self._close))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _opener(self, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def open_call(_module: nn.Module, args: tuple[Any, ...]) -> None:
            self.clock += 1
            call = Call(name=name, begin=self.clock, x=shape_of(args))
            self.calls.append(call)
            self.open.append(call)

        return open_call

    def _close(self, module: nn.Module, _args: tuple[Any, ...], output: object) -> None:
        if counts(module) and is_unit(module):
            for call in self.open:
                call.layers += 1
        call = self.open.pop()
        call.f, call.end = shape_of(output), self.clock


class _Additions(TorchDispatchMode):
    """Notes in which calls two tensors of one shape are added."""

    def __init__(self, recorder: _Recorder) -> None:
        super().__init__()
        self._recorder = recorder

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in ADDITIONS:
            shapes = [tuple(each.shape) for each in args[:2] if isinstance(each, Tensor)]
            if len(shapes) == 2 and shapes[0] == shapes[1] and len(shapes[0]) > 1:
                for call in self._recorder.open:
                    call.adds = True
        return func(*args, **(kwargs or {}))


def _refusal(
    net: nn.Module, inputs: tuple[Any, ...], still_open: list[Call], error: Exception
) -> str:
    given = ", ".join("x".join(map(str, each.shape)) for each in tree_leaves(inputs))
    where = f" in {still_open[-1].name}" if still_open else ""
    reason = str(error).strip().partition("\n")[0]
    return (
        f"{type(net).__name__} does not take the example of {given}{where}: {reason} (give an "
        "example of the shape, type and device that it is used with)"
    )
