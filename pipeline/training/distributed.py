"""The processes that train together: one's place among them, and how `atlas train` starts them."""

import logging
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import NoReturn, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch._C._distributed_c10d import FileStore

from pipeline.cores import cores
from pipeline.errors import AtlasError
from pipeline.parent import ctrl_c_withheld, end_with_parent
from pipeline.training.local_backend import NAME as LOCAL
from pipeline.training.local_backend import make_memory, register

logger = logging.getLogger(__name__)
Argument = TypeVar("Argument")
RESTARTS = 3
"""Times that the group starts again after a process died."""
GRACE_S = 5.0
"""Seconds that a process has to end when it is asked to."""
MEMORY, FAULT = "memory", "fault"
RENDEZVOUS = "ATLAS_RENDEZVOUS"
"""The environment variable with the file through which the processes of `launch` meet."""


@dataclass(frozen=True)
class Group:
    """This process's place among those that train together; alone by default."""

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes files and draws bars."""
        return self.rank == 0

    def shard(self, count: int) -> slice:
        """This process's positions among `count`: every size-th, from its rank."""
        return slice(self.rank, count, self.size)

    def all_reduce_sum(self, values: Tensor) -> Tensor:
        """Add up the processes' tensors, in place; every process gets the sum."""
        if self.size > 1:
            dist.all_reduce(values, dist.ReduceOp.SUM)
        return values

    def all_reduce_max(self, values: Tensor) -> Tensor:
        """Take the elementwise maximum of the processes' tensors, in place."""
        if self.size > 1:
            dist.all_reduce(values, dist.ReduceOp.MAX)
        return values

    def barrier(self) -> None:
        """Return once every process has come here."""
        if self.size > 1:
            dist.barrier()


def process_count(device: torch.device, wanted: int) -> int:
    """Processes to train with: as many as wanted, or one per GPU of a bare `cuda`.

    Raises AtlasError where more are wanted than there are GPUs for.
    """
    if device.type != "cuda":
        return max(1, wanted)
    cards = torch.cuda.device_count() if device.index is None else 1
    if wanted > cards:
        raise AtlasError(
            f"{wanted} processes cannot train on {cards} GPU(s) of {device}: each needs its own.",
            fix="Lower ATLAS_WORKERS (0 takes every GPU), or set ATLAS_DEVICE=cuda.",
        )
    return max(1, wanted or cards)


def launch(work: Callable[[Argument], None], argument: Argument, count: int) -> None:
    """Call `work(argument)` in `count` new processes of this machine.

    They find each other through files of a folder that is this user's alone and through pipes that
    they inherit: nothing listens on the network but NCCL, on the loopback interface, which asks
    whoever connects for the secret in those files. If a process dies, all are started
    again and resume from the last checkpoint, a few times over. `work` must be importable. An
    AtlasError in a process is raised here and not tried again. Asked by SIGTERM to stop, it ends
    the processes and raises KeyboardInterrupt.
    """
    with _interrupted_by_sigterm():
        for attempt in range(RESTARTS + 1):
            with tempfile.TemporaryDirectory(prefix="atlas-train-") as folder:
                exit_code = _run_group(work, argument, Path(folder), count)
                _raise_fault(Path(folder))
            if exit_code == 0:
                return
            logger.warning("A training process died (exit code %d).", exit_code)
            if attempt < RESTARTS:
                logger.warning("Starting again from the last checkpoint.")
    raise AtlasError(
        f"A training process died {RESTARTS + 1} times, the last with exit code {exit_code}.",
        fix="See the messages above; run again to resume from the last checkpoint.",
    )


def _run_group(
    work: Callable[[Argument], None], argument: Argument, folder: Path, count: int
) -> int:
    """Run the processes to their end, or until one dies; the exit code that is not 0, if any."""
    make_memory(folder / MEMORY, count)
    spawn = multiprocessing.get_context("spawn")
    links = [spawn.Pipe() for _ in range(count - 1)]
    processes = []
    for rank in range(count):
        pipes = [links[rank - 1][1]] if rank else [first for first, _ in links]
        place = _Place(folder, rank, count, pipes)
        processes.append(spawn.Process(target=_enter, args=(work, argument, place)))
    try:
        with ctrl_c_withheld():
            for process in processes:
                process.start()
        for pipe in (end for link in links for end in link):
            pipe.close()  # so that a process whose neighbour died reads an end, and does not wait
        return _first_failure(processes)
    finally:
        _end(processes)


def _first_failure(processes: Sequence[BaseProcess]) -> int:
    """Wait until all have ended well, or one has not; its exit code."""
    running = {process.sentinel: process for process in processes}
    while running:
        for sentinel in wait(list(running)):
            process = running.pop(sentinel)  # type: ignore[arg-type]
            process.join()
            if process.exitcode:
                return process.exitcode
    return 0


def _end(processes: Sequence[BaseProcess]) -> None:
    """End those that still run; one that does not listen within some seconds is killed."""
    started = [process for process in processes if process.pid is not None]
    for process in started:
        process.terminate()
    for process in started:
        process.join(GRACE_S)
        process.kill()
        process.join()


@contextmanager
def _interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM raise KeyboardInterrupt, so that the processes are ended on the way out."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Place:
    """A process's place in its group."""

    folder: Path
    """Private to this user: the rendezvous file, the shared memory, the word of a fault."""
    rank: int
    count: int
    pipes: Sequence[Connection]
    """To rank 0; of rank 0, to all others."""


def _enter(work: Callable[[Argument], None], argument: Argument, place: _Place) -> None:
    """Run the work in a process of the group; leave word of an AtlasError."""
    end_with_parent()
    os.environ.update(
        RANK=str(place.rank),
        LOCAL_RANK=str(place.rank),
        WORLD_SIZE=str(place.count),
        LOCAL_WORLD_SIZE=str(place.count),
        NCCL_SOCKET_IFNAME="lo",
        NCCL_RAS_ENABLE="0",  # its status port answers anybody
    )
    os.environ[RENDEZVOUS] = str(place.folder / "rendezvous")
    register(place.folder / MEMORY, place.pipes)
    torch.set_num_threads(max(1, cores() // place.count))
    try:
        work(argument)
    except AtlasError as error:
        fault = f"{error.problem}\0{error.fix}"
        (place.folder / FAULT).write_text(fault, encoding="utf-8")
        sys.exit(1)


def _raise_fault(folder: Path) -> None:
    fault = folder / FAULT
    if fault.exists():
        problem, fix = fault.read_text(encoding="utf-8").split("\0")
        raise AtlasError(problem, fix=fix)


def launched() -> bool:
    """Whether torchrun, or `launch`, started this process as one of a group."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


@contextmanager
def process_group(device: torch.device) -> Iterator[Group]:
    """Join the group that `launch`, or else torchrun's environment, describes.

    Tensors on GPUs travel by nccl, those on CPUs by the local backend, or under torchrun by gloo.
    """
    own = os.environ.get(RENDEZVOUS)
    backend = LOCAL if own else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = f"cpu:{backend},cuda:nccl"
    if own:
        rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
        store = FileStore(own, size)
        dist.init_process_group(backend, store=store, rank=rank, world_size=size)
    else:
        dist.init_process_group(backend)
    try:
        yield Group(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
