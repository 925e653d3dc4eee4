"""Workers: one interface to this process, to processes of this machine, and to a Dask cluster."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any, TypeVar

import dask
from dask.system import CPU_COUNT
from distributed import (
    Client,
    Future,
    KilledWorker,
    Nanny,
    Scheduler,
    Security,
    SpecCluster,
    Worker,
    as_completed,
    get_worker,
)
from distributed.comm.core import CommClosedError

from pipeline.compute.scheduler import scheduler_client
from pipeline.compute.version import Versions, check_versions, versions_here
from pipeline.errors import AtlasError
from pipeline.parent import ctrl_c_withheld

log = logging.getLogger(__name__)

K = TypeVar("K")
J = TypeVar("J")
R = TypeVar("R")

Task = Callable[[J, Any], R]
"""Work on one job, with what its pool's place gives, a device of torch or None: a function of an
importable module, deterministic, whose bits depend on no worker's number of cores."""

WINDOW_PER_THREAD = 4
UNWATCHED = {
    "distributed.worker.profile.enabled": False,
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.admin.system-monitor.gil.enabled": False,
}
"""Settings of Dask without which each worker and the scheduler watch themselves, for a dashboard
that nobody opens: stacks of all threads are sampled every 10 ms, the loop's delay every 20 ms, the
system every 500 ms. A tenth of the processor time of a scan."""
SILENT = {"distributed.nanny.pre-spawn-environ.DASK_LOGGING__DISTRIBUTED": "critical"}
"""What makes worker processes log nothing below that level: they would print the traceback of a
heartbeat that Ctrl-C cuts off, and each connection that closes. Errors of tasks are returned."""


class Place:
    """Where tasks compute: on the processor, without torch."""

    def here(self, slot: int | None) -> Any:
        """What a task gets, asked for on its worker.

        `slot` is the worker's number among our own; None on one of a cluster.
        """

    def __str__(self) -> str:
        """A name for the log."""
        return "cpu"


class Pool:
    """Workers that run tasks; made by `workers`."""

    def __init__(self, client: Client, place: Place, expected: Versions | None = None) -> None:
        self._client = client
        self._place = place
        self._expected = expected

    @property
    def threads(self) -> int:
        """Tasks that run at the same time."""
        counts: dict[str, int] = self._client.nthreads()
        return max(1, sum(counts.values()))

    def run(self, task: Task[J, R], jobs: Iterable[tuple[K, J]]) -> Iterator[tuple[K, R]]:
        """Run a task on the job of every (key, job), and yield (key, result) as they finish.

        `jobs` is read as work proceeds: at most four tasks per thread are under way, and a result
        is let go once it is yielded. A worker that dies repeats only the tasks it had not handed
        over. An AtlasError of a task is raised here.
        """
        waiting = iter(jobs)
        keys: dict[Future[R | AtlasError | CancelledError], K] = {}
        finished = as_completed(loop=self._client.loop, with_results=True)
        try:
            self._submit(finished, keys, task, waiting, WINDOW_PER_THREAD * self.threads)
            for future, result in finished:
                key = keys.pop(future)
                future.release()
                if isinstance(result, AtlasError | CancelledError):
                    raise result
                self._submit(finished, keys, task, waiting, 1)
                yield key, result
        except (CancelledError, CommClosedError) as error:
            raise AtlasError(
                "The Dask scheduler stopped while this stage was running.",
                fix="Start it again, then run this again: finished work is kept.",
            ) from error
        except KilledWorker as error:
            raise AtlasError(
                f"Workers kept dying ({error.last_worker.address} was the last).",
                fix="Look into their logs; if memory ran out, use fewer workers.",
            ) from error
        finally:
            if self._client.status == "running":
                self._client.cancel(list(finished.futures))

    def _submit(
        self,
        finished: as_completed,
        keys: dict[Future[R | AtlasError | CancelledError], K],
        task: Task[J, R],
        waiting: Iterator[tuple[K, J]],
        count: int,
    ) -> None:
        for _, (key, job) in zip(range(count), waiting, strict=False):
            future: Future[R | AtlasError | CancelledError] = self._client.submit(
                _run_here, task, job, self._place, self._expected, pure=False
            )
            keys[future] = key
            finished.add(future)


@contextmanager
def open_pool(
    scheduler: str | None, count: int, place: Place, threads: int | None = None
) -> Iterator[Pool]:
    """Workers to run tasks on.

    With the address of a scheduler: the workers of that cluster, after a check of their versions.
    Else `count` processes of this machine, or for 0 the threads of this process: `threads` for each
    of them, by default those that share the cores.
    """
    if scheduler:
        with scheduler_client(scheduler) as client:
            yield Pool(client, place, versions_here())
        return
    threads = threads or max(1, CPU_COUNT // max(1, count))
    log.info("Computing on %s: %s process(es) of %s thread(s)", place, max(1, count), threads)
    with _local_cluster(count, threads) as cluster, Client(cluster) as client:
        yield Pool(client, place)


def _local_cluster(count: int, threads: int) -> SpecCluster:
    """Workers of this machine that nobody else can reach.

    Threads of this process talk to their scheduler inside it. Processes talk over the loopback
    interface, by TLS with a key that is made now and never written: whoever lacks it is refused.
    """
    # It would log every connection, and the traceback of whatever Ctrl-C cuts off: a heartbeat, a
    # result on its way, a task. What ends a run is raised.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    reach: dict[str, object] = {"protocol": "inproc://"}
    security = None
    if count:
        security = Security.temporary()
        reach = {"protocol": "tls://", "host": "127.0.0.1", "security": security}
    own = {"nthreads": threads, "memory_limit": 0, **reach}
    worker = {
        "cls": Nanny if count else _Worker,
        "options": own | ({"worker_class": _Worker} if count else {"dashboard": False}),
    }
    # Ctrl-C is withheld from the threads, too, that start a worker again.
    with dask.config.set(UNWATCHED | SILENT), ctrl_c_withheld():
        return SpecCluster(
            workers={number: worker for number in range(max(1, count))},
            scheduler={"cls": _Scheduler, "options": {"dashboard": False, **reach}},
            security=security,
            silence_logs=logging.CRITICAL,
        )


class _Scheduler(Scheduler):
    """A scheduler without the web server that Dask's own opens for whoever asks."""

    def start_http_server(self, *args: object, **options: object) -> None:
        """Open no port."""


class _Worker(Worker):
    """A worker without the web server that Dask's own opens, on every interface."""

    def start_http_server(self, *args: object, **options: object) -> None:
        """Open no port."""


def _run_here(task: Task[J, R], job: J, place: Place, expected: Versions | None) -> R | AtlasError:
    """Run a task on a worker. An AtlasError is returned, or Dask would log its traceback.

    One of a cluster may have joined after the first check, so it compares its versions with those
    `expected`, and it may lack the device. One of our own (None) has our versions, and a number by
    which it takes its card.
    """
    worker = get_worker()
    try:
        if expected is None:
            return task(job, place.here(int(worker.name)))
        check_versions(worker.address, versions_here(), expected)
        return task(job, place.here(None))
    except AtlasError as error:
        return error
