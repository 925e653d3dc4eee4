"""What work costs, in CPU seconds of this process and its threads."""

import time
from collections.abc import Callable
from typing import TypeVar

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
