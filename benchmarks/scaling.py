"""How a scan grows with workers: one and two under a scheduler, and what one scheduler can feed."""

import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from distributed import Client, LocalCluster

from benchmarks.row import Row
from benchmarks.world import BATCH, World, make_world
from pipeline.compute import cluster
from pipeline.cores import cores
from pipeline.dataset.members import tar_position
from pipeline.dataset.store import FolderStore
from pipeline.scan.partition import chunk_count, images_per_chunk
from pipeline.scan.scan import Scan

CPU = torch.device("cpu")
SIZES = (10**6, 10**8, 10**9)
SHARD = "photos.tar"


def rows(quick: bool) -> Iterator[Row]:
    """Efficiency of two worker processes, from files and from a shard; then the scheduler's."""
    images = 128 if quick else 600
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        scans = {"files": world.scan(images), "a tar shard": _from_shard(world, images)}
        for source, scan in scans.items():
            one, two = (_rate(scan, images, count) for count in (1, 2))
            yield Row(
                f"scan of {images} images from {source}, 2 worker processes",
                "one worker process; each with a core of its own",
                two / one / 2,
                "×",
                0.9,
                "higher",
                f"share of twice its rate: {two:.1f} against {one:.1f} images/s",
            )
        tasks = _empty_tasks_per_second(200 if quick else 2_000)
        yield from _limits(tasks, one)


def _limits(tasks: float, rate: float) -> Iterator[Row]:
    """How many workers a scheduler feeds: tasks a second times the seconds of a task."""
    yield Row("empty tasks", "", tasks, "/s", 100, "higher", "one scheduler, two workers")
    for images in SIZES:
        chunk = images_per_chunk(images, BATCH)
        yield Row(
            f"workers that one scheduler feeds, {images:.0e} images",
            "",
            tasks * chunk / rate,
            "",
            100,
            "higher",
            f"by extension: {chunk_count(images, BATCH):,} chunks of {chunk:,} images, "
            f"{chunk / rate:,.0f} s of such a core each",
        )


def _from_shard(world: World, images: int) -> Scan:
    """The same scan, its images members of a tar file."""
    shard = world.folder / SHARD
    with tarfile.open(shard, "w") as tar:
        for file in sorted((world.folder / "photos").iterdir()):
            tar.add(file, file.name)
    with tarfile.open(shard) as tar:
        places = {one.name: tar_position(one.offset_data, one.size) for one in tar}
    scan = world.scan(images)
    listed = [
        replace(row, path=f"{SHARD}/{row.path}", position=places[row.path]) for row in scan.images
    ]
    return replace(scan, images=listed, store=FolderStore(world.folder))


def _rate(scan: Scan, images: int, count: int) -> float:
    """Images per second under a scheduler of its own, the workers' start left out."""
    with (
        _cluster(count) as address,
        tempfile.TemporaryDirectory() as state,
        cluster.workers(address, 0, CPU) as pool,
    ):
        few = replace(scan, images=scan.images[: 2 * BATCH * count])
        few.run(pool, Path(state) / "few")  # every worker imports, and reads the model
        start = time.perf_counter()
        scan.run(pool, Path(state) / "checkpoint")
        return images / (time.perf_counter() - start)


def _empty_tasks_per_second(count: int) -> float:
    with _cluster(2) as address, cluster.workers(address, 0, CPU) as pool:
        list(pool.run(_nothing, ((n, n) for n in range(16))))
        start = time.perf_counter()
        for _ in pool.run(_nothing, ((n, n) for n in range(count))):
            pass
        return count / (time.perf_counter() - start)


def _nothing(job: int, device: torch.device) -> int:
    return job


def _pin(core: int) -> None:
    """Keep this process and all its threads, also later ones, on one core."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), {core})


@contextmanager
def _cluster(count: int) -> Iterator[str]:
    """The address of a scheduler with some worker processes of one thread, each on its own core.

    Otherwise a single worker would decode ahead on the cores of the others.
    """
    options = {"threads_per_worker": 1, "memory_limit": 0, "dashboard_address": "127.0.0.1:0"}
    with (
        LocalCluster(n_workers=count, **options) as own,
        Client(own, set_as_default=False) as client,
    ):
        client.wait_for_workers(count)
        for core, address in enumerate(client.scheduler_info(n_workers=-1)["workers"]):
            client.run(_pin, core % cores(), workers=[address])
        yield str(own.scheduler_address)
