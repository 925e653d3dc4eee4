"""From candidates to the manifest: every image decoded once, in processes of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.dataset.manifest import ImageRow, Manifest, sorted_manifest
from pipeline.dataset.members import is_row, parquet_library
from pipeline.dataset.store import ImageStore
from pipeline.errors import AtlasError
from pipeline.params import DataParams
from pipeline.progress import Advance, no_progress
from pipeline.sources.checks import check_dataset
from pipeline.sources.decoders import decoded
from pipeline.sources.inspection import Inspection, inspect, refused
from pipeline.sources.known import Known
from pipeline.sources.protocol import Candidate, Located
from pipeline.sources.registry import source
from pipeline.sources.rejected import Rejection

Outcome = Inspection | Rejection


@dataclass(frozen=True)
class Prepared:
    """The outcome: rows of usable images, and rejections."""

    manifest: Manifest
    rejected: tuple[Rejection, ...]
    """Sorted bytewise by path."""


def locate(location: str, data: DataParams, seed: int, advance: Advance = no_progress) -> Located:
    """The candidates of `data.source` at a location, drawn or downloaded where need be."""
    if "://" in location and data.source != "folder":
        raise AtlasError(
            f"data.root is a URL, but data.source {data.source} needs a folder.",
            fix="Set data.source to folder, or data.root to a folder.",
        )
    chosen = source(data.source)
    chosen.fetch(location, data, seed, advance)
    return chosen.locate(location, data, seed, advance)


def prepare(
    store: ImageStore,
    found: Located,
    data: DataParams,
    known: Known,
    advance: Advance = no_progress,
) -> Prepared:
    """Decode every candidate once and sort them into manifest and rejected list.

    What `known` has of a file that did not change is not decoded again. `advance` counts the files
    found. Raises AtlasError where what is left is too little to use: no image, a class without
    one, too few to validate, too many rejected.
    """
    rejected = list(found.rejected)
    advance(len(rejected))
    usable: list[Candidate] = []
    facts: dict[str, Inspection] = {}
    for candidate, outcome in _inspected(store, found.candidates, known):
        if isinstance(outcome, Rejection):
            rejected.append(outcome)
        else:
            usable.append(candidate)
            facts[candidate.path] = outcome
        advance(1)
    rejected.sort(key=lambda rejection: rejection.path.encode())
    rows = [_row(image, facts[image.path]) for image in found.divide(usable)]
    check_dataset(str(store), rows, found.candidates, rejected, data.max_rejected_fraction)
    return Prepared(sorted_manifest(rows), tuple(rejected))


def _inspected(
    store: ImageStore, candidates: Sequence[Candidate], known: Known
) -> Iterator[tuple[Candidate, Outcome]]:
    new = []
    for candidate in candidates:
        if (outcome := known.outcome(candidate)) is None:
            new.append(candidate)
        else:
            yield candidate, outcome
    in_rows = any(is_row(candidate.position) for candidate in new)
    start = parquet_library if in_rows else bool
    for candidate, outcome in decoded(partial(inspect, store), refused, new, len(new), start):
        known.add(candidate, outcome)
        yield candidate, outcome


def _row(candidate: Candidate, facts: Inspection) -> ImageRow:
    assert candidate.split is not None
    return ImageRow(
        split=candidate.split,
        path=candidate.path,
        label=candidate.label,
        width=facts.width,
        height=facts.height,
        sha256=facts.sha256,
        position=candidate.position,
    )
