"""The torch.distributed backend of processes of one machine: shared memory, no network socket.

gloo, torch's own backend for CPUs, listens on TCP: it accepts whoever connects first, takes
gradients from him, and checks the bounds of what he sends only loosely. Here nobody can connect:
the processes inherit the pipes between them, and share a file of a folder that is this user's own.
"""

import math
import mmap
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import ProcessGroup, Store, Work, _create_work_from_future
from torch.futures import Future

NAME = "local"
SLOT_BYTES = 4 << 20
"""Memory of each process's slot; longer tensors go through it in parts."""
ENDED_WITHIN_S = 30.0
"""Seconds within which the launcher ends a process whose neighbour died."""


class LocalBackend(ProcessGroup):  # of Backend, torch 2.11 makes none in Python
    """Collectives through shared memory: a slot for each process, and one for the result.

    Every process adds up its part of the slots, in the order of the ranks, so that all get the same
    bits. The pipes carry nothing but "I am here": all lead to rank 0.
    """

    def __init__(self, memory: Path, pipes: Sequence[Connection], rank: int, size: int) -> None:
        super().__init__(rank, size)  # type: ignore[call-arg]  # its stub lacks this form
        self._pipes = pipes
        with memory.open("r+b") as file:
            self._mapped = mmap.mmap(file.fileno(), (size + 1) * SLOT_BYTES)
        slots = torch.frombuffer(self._mapped, dtype=torch.uint8).view(size + 1, SLOT_BYTES)
        self._slots, self._result = slots[:size], slots[size]

    # torch calls these with lists and options alone; its stubs have further forms.
    def allreduce(  # type: ignore[override]
        self, tensors: list[Tensor], opts: Any = None
    ) -> Work:
        """Replace each tensor by the sum, or maximum, of the processes' tensors."""
        operation = _OPERATIONS[opts.reduceOp.op if opts else dist.ReduceOp.SUM]

        def reduce(slots: Tensor, part: slice) -> None:
            result = self._result.view(slots.dtype)[part]
            # Always from rank 0 on, whoever adds: a float sum depends on the order, and one bit
            # between two processes would let their weights drift apart.
            result.copy_(slots[0, part])
            for slot in slots[1:]:
                operation(result, slot[part], out=result)

        for tensor in tensors:
            self._through_slots(tensor, reduce)
        return _done(tensors)

    def broadcast(  # type: ignore[override]
        self, tensors: list[Tensor], opts: Any
    ) -> Work:
        """Replace each tensor by that of the root."""
        for tensor in tensors:
            self._from_root(tensor, opts.rootRank)
        return _done(tensors)

    def allgather(  # type: ignore[override]
        self, outputs: list[list[Tensor]], inputs: list[Tensor], opts: Any = None
    ) -> Work:
        """Give every process the tensors of all."""
        for gathered, tensor in zip(outputs, inputs, strict=True):
            for rank, output in enumerate(gathered):
                output.copy_(tensor)
                self._from_root(output, rank)
        return _done(outputs)

    def barrier(self, opts: Any = None) -> Work:
        """Return once every process has come here."""
        self._meet()
        return _done([])

    def getBackendName(self) -> str:  # noqa: N802 (torch's name)
        """The name under which it is registered."""
        return NAME

    def _through_slots(self, tensor: Tensor, combine: Callable[[Tensor, slice], None]) -> None:
        """Pass a tensor through the slots, part by part, and replace it by the result.

        Twice a part the processes meet: before one reads what others wrote, and before all read
        the result. The next part's first meeting keeps the result until all have read it.
        """
        flat = tensor.detach().reshape(-1)
        length = SLOT_BYTES // flat.element_size()
        slots = self._slots.view(flat.dtype)
        result = self._result.view(flat.dtype)
        for first in range(0, len(flat), length):
            part = flat[first : first + length]
            slots[self.rank(), : len(part)] = part
            self._meet()
            share = math.ceil(len(part) / self.size())
            combine(slots, slice(self.rank() * share, min((self.rank() + 1) * share, len(part))))
            self._meet()
            part.copy_(result[: len(part)])
        if not tensor.is_contiguous():
            tensor.copy_(flat.view(tensor.shape))

    def _from_root(self, tensor: Tensor, root: int) -> None:
        def copy(slots: Tensor, part: slice) -> None:
            self._result.view(slots.dtype)[part] = slots[root, part]

        self._through_slots(tensor, copy)

    def _meet(self) -> None:
        """Wait for all: each reports to rank 0, which answers when it has heard all.

        Where another process died, this one waits quietly to be ended by the launcher.
        """
        try:
            if self.rank():
                self._pipes[0].send_bytes(b"here")
                self._pipes[0].recv_bytes()
                return
            for pipe in self._pipes:
                pipe.recv_bytes()
            for pipe in self._pipes:
                pipe.send_bytes(b"all")
        except (EOFError, OSError):
            # Raised at once, this would be the launcher's first error and hide the real one.
            time.sleep(ENDED_WITHIN_S)
            raise


_OPERATIONS: dict[Any, Callable[..., Tensor]] = {
    dist.ReduceOp.SUM: torch.add,
    dist.ReduceOp.MAX: torch.maximum,
}


def make_memory(path: Path, size: int) -> None:
    """Make the file that a group shares, written out: a full disk shows here, not as a crash."""
    with path.open("xb") as file:
        for _ in range(size + 1):
            file.write(bytes(SLOT_BYTES))


def register(memory: Path, pipes: Sequence[Connection]) -> None:
    """Let `init_process_group` find the backend, with this process's pipes, under its name."""

    def make(store: Store, rank: int, size: int, timeout: timedelta) -> LocalBackend:
        return LocalBackend(memory, pipes, rank, size)

    dist.Backend.register_backend(NAME, make, devices=["cpu"])


def _done(result: Any) -> Work:
    """The handle of a collective that has ended."""
    future: Future[Any] = Future()
    future.set_result(result)
    return _create_work_from_future(future)
