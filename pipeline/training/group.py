"""The processes that train together, from the point of view of one of them."""

from dataclasses import dataclass

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
