"""Painting the pictures of the site over all cores."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from atlas_site.picture_jobs import ChannelsJob, Job
from pipeline.atlas import Run, open_atlas
from pipeline.cores import cores
from pipeline.parent import ctrl_c_withheld, end_with_parent
from pipeline.progress import Advance

JOBS_EACH = 32
"""Fewer are done sooner than a process for them has started."""


def paint(
    jobs: Sequence[Job], artifacts: Path, out: Path, workers: int | None, advance: Advance
) -> None:
    """Do all jobs in worker processes; one works here.

    Where `workers` is None, there is one per core that has enough to do.
    """
    for layer in {job.key for job in jobs if isinstance(job, ChannelsJob)}:
        (out / "tiles" / layer).mkdir(parents=True, exist_ok=True)
    (out / "images").mkdir(parents=True, exist_ok=True)
    for data in ("pictures", "firing"):
        (out / "data" / data).mkdir(parents=True, exist_ok=True)
    count = min(len(jobs), workers or min(cores(), len(jobs) // JOBS_EACH))
    for done in _results(jobs, artifacts, out, count):
        advance(done)


def _results(jobs: Sequence[Job], artifacts: Path, out: Path, workers: int) -> Iterator[int]:
    if workers <= 1:
        atlas = open_atlas(artifacts)
        yield from (job.paint(atlas, out) for job in jobs)
        return
    # Spawned, not forked: the parent has threads of torch and zarr.
    with ProcessPoolExecutor(workers, get_context("spawn"), _open, (artifacts, out)) as pool:
        try:
            with ctrl_c_withheld():
                results = pool.map(_paint, jobs)  # starts the processes
            yield from results
        finally:
            pool.shutdown(cancel_futures=True)


_opened: tuple[Run, Path] | None = None


def _open(artifacts: Path, out: Path) -> None:
    """Open the run once in a worker process."""
    end_with_parent()
    global _opened
    _opened = (open_atlas(artifacts), out)


def _paint(job: Job) -> int:
    assert _opened is not None
    atlas, out = _opened
    return job.paint(atlas, out)
