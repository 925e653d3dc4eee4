"""scan and project write the same bytes whoever computes, in whatever order, and whoever dies.

Every comparison is of all bytes of all files of a store with those that one process wrote.
"""

import os
import random
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from click.testing import CliRunner, Result
from distributed import Client, LocalCluster

from pipeline.compute.pool import Pool
from pipeline.dataset.manifest import ImageRow
from pipeline.storage.stores import open_store, read_scan
from pipeline.workspace import Workspace
from stages.cli import main
from tests.imports import ROOT
from tests.pipeline.scan.worlds import CLASSES, make_world
from tests.stages.processes import dask_scheduler, dask_worker, kill_in_the_middle, wait_for
from tests.workspaces import write_listing, write_params

pytestmark = pytest.mark.slow

DIFFERENT = 12
COPIES = 3
CHUNKS = DIFFERENT * COPIES // 2
LAYERS = ["conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"]
STAGES = {"scan": "scan.zarr", "project": "projections.zarr"}
both_stages = pytest.mark.parametrize("stage", STAGES)


def run(workspace: Workspace, stage: str, *options: str) -> Result:
    return CliRunner().invoke(main, [stage, "-w", str(workspace.root), *options])


def written(workspace: Workspace, stage: str, *options: str) -> dict[str, bytes]:
    """Run a stage that must succeed: every file of the store that it writes."""
    store = workspace.artifacts / STAGES[stage]
    shutil.rmtree(store, ignore_errors=True)
    result = run(workspace, stage, *options)
    assert result.exit_code == 0, result.output
    files = (path for path in store.rglob("*") if path.is_file())
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module", autouse=True)
def _chunks_of_two_images():
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("pipeline.atlas.chunks.CHUNK_IMAGES", 2)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Workspace:
    """Twelve images, each under three names far apart, in chunks of two; scanned and projected."""
    here = Workspace(tmp_path_factory.mktemp("finished"))
    count = DIFFERENT * COPIES
    world = make_world(here.root / "made", count, copies=count - DIFFERENT, dead=1)
    here.artifacts.mkdir()
    world.model.rename(here.model)
    world.root.rename(here.root / "photos")
    train = [ImageRow("train", f"{name}.png", name, 88, 72, "") for name in CLASSES]
    write_listing(here, [*world.images, *train])
    write_params(here.root, {"scan": {"layers": LAYERS, "batch_size": 2}})
    return here


@pytest.fixture(scope="module")
def expected(finished) -> dict[str, dict[str, bytes]]:
    """What one process writes, by stage."""
    return {stage: written(finished, stage) for stage in STAGES}


@pytest.fixture
def copy(finished, expected, tmp_path) -> Workspace:
    """The finished run, to be run again or changed."""
    shutil.copytree(finished.root, tmp_path / "run")
    return Workspace(tmp_path / "run")


@pytest.fixture(scope="module")
def own_workers() -> Iterator[Client]:
    """A running cluster of worker processes, one at first, as `--scheduler` finds it."""
    options = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": "127.0.0.1:0"}
    with LocalCluster(n_workers=1, **options) as own, Client(own, set_as_default=False) as client:
        yield client


def scaled(client: Client, count: int) -> str:
    """The address of a cluster of so many worker processes."""

    def complete() -> bool:
        client.cluster.scale(count)  # again: it gives up one that takes long to come back
        return len(client.scheduler_info(n_workers=-1)["workers"]) == count

    wait_for(complete)
    return client.cluster.scheduler_address


def test_copies_of_an_image_tie_to_the_bit_and_rank_by_row(finished, expected):
    store, ties = open_store(finished.scan, "scan"), 0
    for layer in LAYERS:
        found = read_scan(store, layer)
        for image, activation in zip(found.image, found.activation, strict=True):
            rows, peaks = image[image >= 0], activation[image >= 0]
            assert len(rows) % COPIES == 0
            assert (rows.reshape(-1, COPIES) - rows[::COPIES, None] == [0, 12, 24]).all()
            assert (peaks.reshape(-1, COPIES) == peaks[::COPIES, None]).all()
            ties += len(rows)
    assert ties > 500


@both_stages
@pytest.mark.parametrize("count", [1, 2, 4])
def test_any_number_of_worker_processes(copy, expected, own_workers, count, stage):
    address = scaled(own_workers, count)
    assert written(copy, stage, "--scheduler", address) == expected[stage]


@both_stages
def test_chunks_in_any_order(copy, expected, own_workers, monkeypatch, stage):
    in_order, seen = Pool.run, []

    def shuffled(self, task, jobs):
        jobs = list(jobs)
        random.Random(7).shuffle(jobs)
        for key, result in in_order(self, task, jobs):
            seen.append(key if stage == "project" else key.number)
            yield key, result

    monkeypatch.setattr(Pool, "run", shuffled)
    address = scaled(own_workers, 4)
    assert written(copy, stage, "--scheduler", address) == expected[stage]
    first = seen[:CHUNKS]  # the chunks of the control come after those of the projections
    assert sorted(first) == list(range(CHUNKS))
    assert first != sorted(first)


@both_stages
def test_a_worker_killed_in_the_middle(copy, expected, own_workers, monkeypatch, stage):
    unharmed, killed = Pool.run, []

    def deadly(self, task, jobs):
        for found in unharmed(self, task, jobs):
            if not killed:
                busy = self._client.processing()
                victim = max(busy, key=lambda address: len(busy[address]))
                assert busy[victim]
                killed.append(self._client.run(os.getpid, workers=[victim])[victim])
                os.kill(killed[0], signal.SIGKILL)
            yield found

    monkeypatch.setattr(Pool, "run", deadly)
    address = scaled(own_workers, 4)
    assert written(copy, stage, "--scheduler", address) == expected[stage]
    assert len(killed) == 1


@pytest.mark.parametrize(("stage", "options"), [("scan", ["--workers", "2"]), ("project", [])])
def test_a_run_killed_in_the_middle_goes_on(copy, expected, monkeypatch, stage, options):
    done = kill_in_the_middle(copy, stage, *options)
    assert done == 3
    every, again = Pool.run, []

    def counting(self, task, jobs):
        keys = []
        again.append(keys)
        for key, result in every(self, task, jobs):
            keys.append(key)
            yield key, result

    monkeypatch.setattr(Pool, "run", counting)
    assert written(copy, stage) == expected[stage]
    assert len(again[0]) == CHUNKS - done  # the control's chunks are a run of their own


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory) -> Iterator[str]:
    """`dask scheduler` and two `dask worker`."""
    folder = tmp_path_factory.mktemp("dask")
    with ExitStack() as stack:
        address = stack.enter_context(dask_scheduler(folder))
        for name in ("one", "two"):
            stack.enter_context(dask_worker(address, name, folder))
        wait_for_workers(address, 2)
        yield address


def wait_for_workers(scheduler: str, count: int) -> dict[str, str]:
    """The addresses of a scheduler's workers by name, as soon as there are so many."""
    with Client(scheduler, set_as_default=False) as client:
        client.wait_for_workers(count)
        found = client.scheduler_info(n_workers=-1)["workers"]
        return {worker["name"]: address for address, worker in found.items()}


@both_stages
def test_a_scheduler_with_workers_of_its_own(copy, expected, scheduler, monkeypatch, stage):
    monkeypatch.setenv("ATLAS_SCHEDULER", scheduler)
    assert written(copy, stage) == expected[stage]


@both_stages
def test_the_worker_with_other_code_is_named(copy, scheduler, stage, tmp_path):
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline")
    with (tmp_path / "pipeline" / "errors.py").open("a") as file:
        file.write("# Another version.\n")
    with dask_worker(scheduler, "stale", tmp_path, code=tmp_path):
        stale = wait_for_workers(scheduler, 3)["stale"]
        result = run(copy, stage, "--scheduler", scheduler)
    assert result.exit_code == 1
    assert f"The worker {stale} has the code of pipeline" in result.output


@both_stages
def test_a_scheduler_that_dies_is_one_line_and_nothing_is_lost(
    copy, expected, tmp_path, monkeypatch, stage
):
    unharmed, killed = Pool.run, []

    def deadly(self, task, jobs):
        for found in unharmed(self, task, jobs):
            if not killed:
                killed.append(self._client.run_on_scheduler(os.getpid))
                os.kill(killed[0], signal.SIGKILL)
            yield found

    with (
        dask_scheduler(tmp_path) as address,
        dask_worker(address, "one", tmp_path),
        monkeypatch.context() as patched,
    ):
        wait_for_workers(address, 1)
        patched.setattr(Pool, "run", deadly)
        result = run(copy, stage, "--scheduler", address)
    assert result.exit_code == 1
    assert "Error: The Dask scheduler stopped while this stage was running." in result.output
    assert "Traceback" not in result.output
    assert written(copy, stage) == expected[stage]
