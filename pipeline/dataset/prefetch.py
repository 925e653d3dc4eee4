"""Prefetching: work begun in threads ahead of its use, handed out in order."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


def prefetch(
    work: Callable[[Job], Result], jobs: Iterable[Job], threads: int, depth: int
) -> Iterator[tuple[Job, Result]]:
    """Yield `(job, work(job))` in the order of the jobs, with at most `depth` begun and unused.

    What `work` raises is raised where its result would have been yielded.
    """
    begun: deque[tuple[Job, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="prefetch")
    try:
        for job in jobs:
            begun.append((job, pool.submit(work, job)))
            if len(begun) > depth:
                done, future = begun.popleft()
                yield done, future.result()
        while begun:
            done, future = begun.popleft()
            yield done, future.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
