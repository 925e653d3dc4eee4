"""Peak memory of work, in a process of its own."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def peak_mib() -> float:
    """The most memory that this process held since its program began, in MiB.

    The kernel's `ru_maxrss` starts at what the parent process held; this does not.
    """
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("This kernel does not tell a process's peak memory.")


def alone(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """The result of an importable function in a new process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args, **kwargs).result()
