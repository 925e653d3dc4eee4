"""Decoder processes: every candidate is decoded once, within limits of time and memory.

A file made to harm, or merely odd, can keep a decoder busy for minutes, take gigabytes, print on
the terminal, or crash. In a process of its own it costs one line of the rejected list.
"""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from math import ceil
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from queue import SimpleQueue
from typing import Generic, TypeVar

from pipeline.cores import cores
from pipeline.dataset.prefetch import prefetch
from pipeline.parent import ctrl_c_withheld

DECODE_S = 8
"""A candidate that takes more CPU seconds is rejected."""
DECODE_BYTES = 1 << 30
"""A candidate that needs more memory is rejected: 1 GiB."""
FEW = 64
"""So many candidates are decoded sooner than a second process starts."""

Job = TypeVar("Job")
Result = TypeVar("Result")


def decoded(
    work: Callable[[Job], Result],
    refuse: Callable[[Job, str], Result],
    jobs: Iterable[Job],
    count: int,
    start: Callable[[], object] = bool,
) -> Iterator[tuple[Job, Result]]:
    """Yield `(job, work(job))` in order, each worked on in one of the decoder processes.

    `refuse` makes the result of a job that goes beyond a limit, from the reason. `count` is the
    number of jobs, or more. `start` is called in each process before its limit of memory holds:
    what it imports does not count.
    """
    processes = min(cores(), -(-count // FEW))
    free: SimpleQueue[_Decoder[Job, Result]] = SimpleQueue()
    decoders = [_Decoder(work, start) for _ in range(max(1, processes))]
    for decoder in decoders:
        free.put(decoder)

    def run(job: Job) -> Result:
        decoder = free.get()
        try:
            return decoder.run(job)
        except _LimitError as error:
            return refuse(job, str(error))
        finally:
            free.put(decoder)

    try:
        yield from prefetch(run, jobs, len(decoders), depth=4 * len(decoders))
    finally:
        for decoder in decoders:
            decoder.stop()


class _LimitError(Exception):
    """A job went beyond a limit; the text is the reason."""


class _Decoder(Generic[Job, Result]):
    """One decoder process, started when it is first needed and after each one that was lost."""

    def __init__(self, work: Callable[[Job], Result], start: Callable[[], object]) -> None:
        self._work = work
        self._before = start
        self._process: BaseProcess | None = None
        self._pipe: Connection[object, object] | None = None

    def run(self, job: Job) -> Result:
        """The result of a job. Raises _LimitError, and what the work itself raises."""
        if self._pipe is None:
            self._start()
        assert self._pipe is not None
        try:
            self._pipe.send(job)
            outcome: object = self._pipe.recv()
        except (EOFError, OSError):
            raise _LimitError(self._why_lost()) from None
        if isinstance(outcome, MemoryError):
            raise _LimitError(f"too costly: more than {DECODE_BYTES >> 20} MiB")
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome  # type: ignore[return-value]  # what the process sent of its work

    def _start(self) -> None:
        # Not forked: a fork would inherit this process's threads' locks, and its open files.
        context = get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(theirs, self._work, self._before), daemon=True
        )
        with ctrl_c_withheld():
            self._process.start()
        theirs.close()
        self._pipe.recv()

    def _why_lost(self) -> str:
        """The reason that the process ended by itself."""
        assert self._process is not None
        self._process.join()
        timed_out = self._process.exitcode == -signal.SIGXCPU
        self.stop()
        return f"too costly: more than {DECODE_S} s" if timed_out else "damaged: a decoder crashed"

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
        if self._pipe is not None:
            self._pipe.close()
        self._process = self._pipe = None


def _serve(
    pipe: "Connection[object, object]",
    work: Callable[[object], object],
    start: Callable[[], object],
) -> None:
    """Answer jobs until the other end closes, which it does however that process ends."""
    # Decoders in C print what they think of damage on standard error.
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    sys.stderr = open(os.devnull, "w")  # noqa: SIM115  # for as long as the process lasts
    start()
    _limit_memory()
    try:
        pipe.send(None)
        while True:
            job = pipe.recv()
            _limit_time()
            try:
                pipe.send(work(job))
            except Exception as error:  # the other end raises it
                pipe.send(error)
    except (EOFError, OSError):
        return


def _limit_time() -> None:
    """Let this process end by a signal when the next job takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime) + DECODE_S, most))


def _limit_memory() -> None:
    """Let this process have no more than the limit above what it has mapped by now."""
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            mapped = int(file.read().split()[0]) * resource.getpagesize()
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (mapped + DECODE_BYTES, most))
