"""Several processes that train one network: which one this is, and what they tell one another.

The processes are started by torchrun, SLURM or Ray Train, never from here: what they set (RANK,
WORLD_SIZE, LOCAL_RANK, MASTER_ADDR) is read, and a process group that is there already is used.
"""

import itertools
import os
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from residua.errors import ConfigError

T = TypeVar("T")

# Groups that this process has joined, as one of several trainings in a row.
_GROUPS = itertools.count()


@dataclass(frozen=True)
class World:
    """The processes of one training, seen from one of them.

    Attributes:
        rank: of this process, in [0, size).
        size: how many there are.
        device: of this process.
    """

    rank: int
    size: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this process writes the record."""
        return self.rank == 0

    def share(self, batch_size: int) -> slice:
        """Return which pictures of a batch are this process's.

        Raises:
            ConfigError: the batch cannot be shared out evenly.
        """
        if batch_size % self.size:
            raise ConfigError(
                f"a batch of {batch_size} cannot be shared out evenly to {self.size} processes: "
                f"set --batch-size to a multiple of {self.size}"
            )
        part = batch_size // self.size
        return slice(self.rank * part, (self.rank + 1) * part)

    def wrap(self, net: nn.Module, *, partial: bool) -> nn.Module:
        """Average gradients over the processes; running statistics are the leader's.

        Args:
            net: all of what may ever learn does so now.
            partial: whether an update may leave out some of that.
        """
        if self.size == 1:
            return net
        return DistributedDataParallel(net, find_unused_parameters=partial)

    def mean(self, values: Tensor) -> Tensor:
        """Average a tensor over the processes."""
        if self.size == 1:
            return values
        total = values.clone()
        dist.all_reduce(total)
        return total / self.size

    def agreed(self, *, asked: bool) -> bool:
        """Say whether any process was asked to stop, the same in all."""
        if self.size == 1:
            return asked
        return bool(self.mean(torch.tensor(float(asked), device=self.device)) > 0)

    def told(self, value: T) -> T:
        """Return the leader's value to all."""
        if self.size == 1:
            return value
        carrier = [value]
        dist.broadcast_object_list(carrier, src=0, device=self.device)
        return carrier[0]

    def align(self, net: nn.Module) -> None:
        """Give all processes the leader's weights and running statistics."""
        if self.size == 1:
            return
        for value in net.state_dict().values():
            dist.broadcast(value, src=0)

    def mine(self, count: int) -> Tensor:
        """List which of `count` pictures this process tests: each is one process's."""
        return torch.arange(self.rank, count, self.size)

    def gathered(self, part: Tensor, count: int) -> Tensor:
        """Put the rows that each process has of `mine(count)` together, in their order."""
        if self.size == 1:
            return part
        rows = -(-count // self.size)
        padded = part.new_zeros(rows, *part.shape[1:]).to(self.device)
        padded[: len(part)] = part
        parts = [torch.empty_like(padded) for _ in range(self.size)]
        dist.all_gather(parts, padded)
        return torch.stack(parts, dim=1).flatten(0, 1)[:count].to(part.device)

    def collected(self, part: list[T], count: int) -> list[T]:
        """Put the objects that each process has of `mine(count)` together, in their order."""
        if self.size == 1:
            return part
        parts: list[list[T]] = [[]] * self.size
        dist.all_gather_object(parts, part)
        return [parts[index % self.size][index // self.size] for index in range(count)]


def leads() -> bool:
    """Say whether this process would write the record, before any group is joined."""
    return (dist.get_rank() if dist.is_initialized() else int(os.environ.get("RANK", "0"))) == 0


def own_device(device: torch.device) -> torch.device:
    """Return this process's device: of several GPUs of a machine, that of its local rank."""
    local = os.environ.get("LOCAL_RANK")
    if device.type == "cuda" and device.index is None and local is not None:
        return torch.device("cuda", int(local))
    return device


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Join the other processes, if there are any, and leave them at the end."""
    if dist.is_initialized():
        yield World(dist.get_rank(), dist.get_world_size(), device)
        return
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(0, 1, device)
        return
    if device.type == "cuda":
        torch.cuda.set_device(device)
    # After a restart torchrun's store still holds the addresses of the processes before, and one
    # that reads them waits for the dead: each life has its own names there.
    store, rank, size = next(iter(dist.rendezvous("env://")))
    restart = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    life = dist.PrefixStore(f"{restart}/{next(_GROUPS)}", store)
    backend = "nccl" if device.type == "cuda" else "gloo"
    dist.init_process_group(backend, store=life, rank=rank, world_size=size)
    try:
        yield World(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()


def launch() -> str | None:
    """Name the start by torchrun that this process belongs to, the same after each restart."""
    run = os.environ.get("TORCHELASTIC_RUN_ID")
    if run is None:
        return None
    return run if run != "none" else f"{socket.gethostname()}:{os.getppid()}"


def restarted() -> bool:
    """Say whether torchrun has started this process again after one was lost."""
    return int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0


def unsynchronized(net: nn.Module) -> AbstractContextManager[object]:
    """Keep gradients to this process until the next backward pass outside of this context."""
    return net.no_sync() if isinstance(net, DistributedDataParallel) else nullcontext()
