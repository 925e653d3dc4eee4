"""The pool: the same interface over threads and processes, and workers that die."""

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import dask
import pytest
from distributed import Client, LocalCluster, Security, get_worker

from pipeline.compute.pool import Place, Pool, open_pool
from pipeline.errors import AtlasError
from tests.pipeline.compute.jobs import square


def watched(job: int, device: None) -> set[str]:
    """The callbacks by which a worker samples stacks."""
    return {"profile", "profile-cycle"} & get_worker().periodic_callbacks.keys()


def log_level(job: int, device: None) -> int:
    return logging.getLogger("distributed.worker").getEffectiveLevel()


def refuse(job: int, device: None) -> int:
    raise AtlasError(f"{job} is wrong.", fix="Mend it.")


def die_once(job: tuple[int, Path], device: None) -> int:
    number, witness = job
    if number == 3 and not witness.exists():
        witness.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.fixture(scope="module")
def processes() -> Iterator[Pool]:
    with open_pool(None, 2, Place(), threads=1) as pool:
        yield pool


@pytest.fixture(scope="module")
def threads() -> Iterator[Pool]:
    with open_pool(None, 0, Place(), threads=2) as pool:
        yield pool


@pytest.fixture(params=["threads", "processes"])
def pool(request) -> Pool:
    return request.getfixturevalue(request.param)


def test_every_job_is_done_once(pool):
    found = sorted(pool.run(square, ((str(n), n) for n in range(20))))
    assert found == sorted((str(n), n * n) for n in range(20))


def test_no_worker_samples_its_stacks_and_the_callers_settings_stay(pool):
    assert dict(pool.run(watched, [(0, 0)])) == {0: set()}
    assert dask.config.get("distributed.worker.profile.enabled") is True


def test_worker_processes_log_no_traceback_of_their_own(processes):
    """As of a heartbeat that Ctrl-C cuts off."""
    assert dict(processes.run(log_level, [(0, 0)])) == {0: logging.CRITICAL}


def test_jobs_are_read_as_work_proceeds(threads):
    read = []

    def jobs():
        for number in range(100):
            read.append(number)
            yield number, number

    results = threads.run(square, jobs())
    next(results)
    assert len(read) <= 10
    results.close()


def test_an_error_of_a_task_reaches_the_caller(pool):
    with pytest.raises(AtlasError, match=r"7 is wrong\. Mend it\."):
        list(pool.run(refuse, [(7, 7)]))


def test_a_worker_that_dies_repeats_its_own_jobs(processes, tmp_path):
    jobs = [(n, (n, tmp_path / "died")) for n in range(12)]
    assert sorted(processes.run(die_once, jobs)) == [(n, n) for n in range(12)]
    assert (tmp_path / "died").exists()


def test_who_lacks_the_key_of_the_workers_is_refused(processes):
    address = processes._client.scheduler.address
    assert address.startswith("tls://127.0.0.1:")
    for attempt in (address, address.replace("tls", "tcp")):
        with pytest.raises((OSError, ValueError, TypeError)):
            Client(attempt, timeout=2, security=stranger(attempt), set_as_default=False)


def stranger(address: str) -> Security | None:
    """The credentials of somebody else, who has a key of his own."""
    return Security.temporary() if address.startswith("tls") else None


def test_a_scheduler_is_reached_from_a_thread_that_runs_a_loop():
    """As a notebook's thread does."""

    async def squares(address: str) -> list[int]:
        with open_pool(address, 0, Place()) as pool:
            return [result for _, result in pool.run(square, [(0, 3)])]

    with LocalCluster(1, processes=False, protocol="tcp", dashboard_address=None) as running:
        assert asyncio.run(squares(running.scheduler_address)) == [9]
