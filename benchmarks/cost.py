"""What work costs: CPU seconds of this process and its threads, or seconds on a device."""

import time
from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """The cost of one run, and its result."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def least(work: Callable[[], object], repeats: int) -> float:
    """The least cost of some runs, after one that warms up."""
    work()
    return min(timed(work)[0] for _ in range(repeats))


def wall(work: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """The seconds that one run takes, until the device has finished, and its result."""
    start = time.perf_counter()
    result = work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, result
