"""From candidates to the manifest: every image decoded once, in threads."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.cores import cores
from pipeline.dataset.manifest import ImageRow, Manifest, sorted_manifest
from pipeline.params import DataParams
from pipeline.progress import Advance, unseen
from pipeline.sources.checks import check_dataset
from pipeline.sources.inspection import Inspection, inspect
from pipeline.sources.protocol import Candidate
from pipeline.sources.registry import source
from pipeline.sources.rejected import Rejection

BATCH = 1024
"""Candidates handed to the threads at a time: what waits in memory does not grow with the data."""


@dataclass(frozen=True)
class Prepared:
    """What became of the candidates."""

    manifest: Manifest
    rejected: tuple[Rejection, ...]
    """Sorted bytewise by path."""


def locate(
    root: Path, data: DataParams, seed: int, advance: Advance = unseen
) -> Sequence[Candidate | Rejection]:
    """The candidates of `data.source` below a root, drawn or downloaded where need be."""
    return source(data.source).locate(root, data, seed, advance)


def prepare(
    root: Path,
    found: Sequence[Candidate | Rejection],
    data: DataParams,
    advance: Advance = unseen,
) -> Prepared:
    """Decode every candidate once and sort them into manifest and rejected list.

    `advance` is told of each of `found`. Raises AtlasError where what is left is too little to go
    on with: no image, a class without one, too few to validate, too many rejected.
    """
    candidates = [item for item in found if isinstance(item, Candidate)]
    rejected = [item for item in found if isinstance(item, Rejection)]
    advance(len(rejected))
    rows = []
    for candidate, outcome in _inspected(root, candidates):
        if isinstance(outcome, Rejection):
            rejected.append(outcome)
        else:
            rows.append(_row(candidate, outcome))
        advance(1)
    rejected.sort(key=lambda rejection: rejection.path.encode())
    check_dataset(root, rows, candidates, rejected, data.max_rejected_fraction)
    return Prepared(sorted_manifest(rows), tuple(rejected))


def _inspected(
    root: Path, candidates: Sequence[Candidate]
) -> Iterator[tuple[Candidate, Inspection | Rejection]]:
    # Threads, not processes: Pillow lets go of the interpreter while it decodes.
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(candidates), BATCH):
            batch = candidates[start : start + BATCH]
            yield from zip(batch, pool.map(partial(inspect, root), batch), strict=True)


def _row(candidate: Candidate, seen: Inspection) -> ImageRow:
    return ImageRow(
        split=candidate.split,
        path=candidate.path,
        label=candidate.label,
        width=seen.width,
        height=seen.height,
        sha256=seen.sha256,
    )
