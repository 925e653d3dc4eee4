"""Versions: the worker that differs is named with what differs."""

import pytest
from distributed import Client, LocalCluster

from pipeline.compute import cluster
from pipeline.compute.pool import Place, Pool
from pipeline.compute.version import check_versions, versions_here
from pipeline.errors import AtlasError
from tests.pipeline.compute.jobs import CPU, square


def test_the_worker_that_differs_is_named():
    theirs = tuple((what, "0.1" if what == "torch" else v) for what, v in versions_here())
    with pytest.raises(AtlasError, match=r"tcp://far:1 has torch 0\.1, this process has"):
        check_versions("tcp://far:1", theirs, versions_here())


def test_a_worker_that_names_fewer_things_or_others_is_named_too():
    with pytest.raises(AtlasError, match=r"tcp://far:1 has numpy of no known version, this proc"):
        check_versions("tcp://far:1", (("torch", "2"),), (("torch", "2"), ("numpy", "3")))
    with pytest.raises(AtlasError, match=r"has scipy 4, this process has of no known version"):
        check_versions("tcp://far:1", (("torch", "2"), ("scipy", "4")), (("torch", "2"),))


@pytest.fixture
def scheduler():
    with LocalCluster(
        n_workers=1, processes=False, protocol="tcp", dashboard_address=None
    ) as running:
        yield running.scheduler_address


def test_a_running_scheduler_s_workers_are_used(scheduler):
    with cluster.workers(scheduler, 0, CPU) as pool:
        assert dict(pool.run(square, [("a", 3)])) == {"a": 9}


def test_a_worker_that_joined_later_is_checked_too(scheduler):
    with Client(scheduler, set_as_default=False) as client:
        pool = Pool(client, Place(), (("python", "2.7"), *versions_here()[1:]))
        with pytest.raises(AtlasError, match=r"has python 3.*this process has 2\.7"):
            list(pool.run(square, [("a", 3)]))


def test_a_scheduler_without_workers_is_refused():
    with (
        LocalCluster(n_workers=0, processes=False, protocol="tcp", dashboard_address=None) as empty,
        pytest.raises(AtlasError, match="has no workers"),
        cluster.workers(empty.scheduler_address, 0, CPU),
    ):
        pass
