"""The processes that train together, from the point of view of one of them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor


@dataclass(frozen=True)
class Group:
    """This process's place among those that train together; alone by default."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the process that writes files and draws bars."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """This process's positions among `count`: every size-th, from its rank."""
        return slice(self.rank, count, self.size)

    def sum(self, values: Tensor) -> Tensor:
        """Add up the processes' tensors, in place; every process gets the sum."""
        if self.size > 1:
            dist.all_reduce(values, dist.ReduceOp.SUM)
        return values

    def max(self, values: Tensor) -> Tensor:
        """Take the elementwise maximum of the processes' tensors, in place."""
        if self.size > 1:
            dist.all_reduce(values, dist.ReduceOp.MAX)
        return values

    def wait(self) -> None:
        """Return once every process has come here."""
        if self.size > 1:
            dist.barrier()


def launched() -> bool:
    """Whether torchrun, or `launch`, started this process as one of a group."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@contextmanager
def joined(device: torch.device) -> Iterator[Group]:
    """Join the group that the environment describes: gloo for what lies on CPUs, nccl on GPUs."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
