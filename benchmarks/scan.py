"""The scan: images per second against a plain eager loop, its memory, and what Dask costs."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from benchmarks.memory import alone, peak_mib
from benchmarks.row import Row
from benchmarks.world import BATCH, World, make_world
from pipeline.compute import cluster
from pipeline.compute.pool import J, K, Pool, R, Task
from pipeline.scan.scan import Scan


def rows(quick: bool) -> list[Row]:
    """The scan's rows: rates taken in turns with the eager loop's, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        return [
            *_rate_rows(world, (600,) if quick else (600, 5_000), repeats=1 if quick else 3),
            _overhead_row(world, 192 if quick else 600, repeats=1 if quick else 3),
            _memory_row(world, (64, 640) if quick else (600, 6_000)),
        ]


def eager_network() -> nn.Sequential:
    """ZFNet to conv5 as one would write it, NCHW, contrast norm by torch's module."""
    pool, norm = partial(nn.MaxPool2d, 3, 2, ceil_mode=True), partial(nn.LocalResponseNorm, 5, 5e-4)
    return nn.Sequential(
        *(nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool(), norm(beta=0.75, k=2.0)),
        *(nn.Conv2d(96, 256, 5, 2), nn.ReLU(), pool(), norm(beta=0.75, k=2.0)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
    ).eval()


@torch.inference_mode()
def eager_rate(network: nn.Module, batches: int) -> float:
    """Images per second of the plain loop over a tensor that is ready, with all threads."""
    inputs = torch.randn(BATCH, 3, 225, 225)
    network(inputs)
    start = time.perf_counter()
    for _ in range(batches):
        network(inputs)
    return batches * BATCH / (time.perf_counter() - start)


def _eager_rate(batches: int) -> float:
    """The same in a process of its own, whose memory no scan has set to be kept."""
    return eager_rate(eager_network(), batches)


def scan_rate(world: World, images: int) -> float:
    """Images per second of a whole scan: start of Dask, reading, top nine, statistics."""
    scan = world.scan(images)
    with tempfile.TemporaryDirectory() as state:
        start = time.perf_counter()
        with cluster.workers(None, 0, torch.device("cpu")) as pool:
            scan.run(pool, Path(state) / "checkpoint")
        return images / (time.perf_counter() - start)


def _rate_rows(world: World, sizes: tuple[int, ...], repeats: int) -> Iterator[Row]:
    """Both rates in turns, so that whatever else the machine does hits both; their medians."""
    for images in sizes:
        pairs = []
        for _ in range(repeats):
            before = alone(_eager_rate, 6)
            ours = scan_rate(world, images)
            pairs.append((ours, (before + alone(_eager_rate, 6)) / 2))
        ours, eager = np.median(np.array(pairs), axis=0)
        yield Row(
            f"scan of {images:,} images, files to records",
            "a plain eager loop to conv5 over ready tensors",
            float(ours / eager),
            "×",
            1.5 if images < 5_000 else 2.0,
            "higher",
            f"{ours:.1f} against {eager:.1f} images/s",
        )


def _overhead_row(world: World, images: int, repeats: int) -> Row:
    """The same tasks through Dask and in a loop, one thread, in turns: the least CPU seconds."""
    scan, threads = world.scan(images), torch.get_num_threads()
    torch.set_num_threads(1)
    turns = [(_dask_s(scan), _loop_s(scan)) for _ in range(repeats + 1)]
    torch.set_num_threads(threads)
    dask, loop = np.array(turns[1:]).min(axis=0).tolist()
    return Row(
        f"scan of {images:,} images through Dask on this machine",
        "the same tasks and merges in a plain loop",
        dask / loop,
        "×",
        1.03,
        "lower",
        f"{dask:.1f} against {loop:.1f} CPU seconds of this process, Dask's start included",
    )


def _dask_s(scan: Scan) -> float:
    start = time.process_time()
    with cluster.workers(None, 0, torch.device("cpu"), cores=1) as pool:
        _scanned(scan, pool)
    return time.process_time() - start


def _loop_s(scan: Scan) -> float:
    start = time.process_time()
    _scanned(scan, _Loop())
    return time.process_time() - start


def _scanned(scan: Scan, pool: Pool) -> None:
    with tempfile.TemporaryDirectory() as state:
        scan.run(pool, Path(state) / "checkpoint")


class _Loop(Pool):
    """The pool without Dask: one task after the other, here."""

    def __init__(self) -> None:
        pass

    def run(self, task: Task[J, R], jobs: Iterable[tuple[K, J]]) -> Iterator[tuple[K, R]]:
        """Run each job as its turn comes."""
        for key, job in jobs:
            yield key, task(job, torch.device("cpu"))


def _memory_row(world: World, sizes: tuple[int, int]) -> Row:
    few, many = (alone(_peak_mib, world, images) for images in sizes)
    return Row(
        f"peak memory of a scan of {sizes[1]:,} images",
        f"of {sizes[0]:,} images",
        many / few,
        "×",
        1.05,
        "lower",
        f"{many:.0f} against {few:.0f} MiB, each in a process of its own",
    )


def _peak_mib(world: World, images: int) -> float:
    scan_rate(world, images)
    return peak_mib()
