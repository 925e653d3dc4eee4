"""All that is wrong with the stores of a run by their own rules."""

from collections.abc import Iterator

import zarr

from pipeline.atlas import Run
from pipeline.errors import AtlasError
from pipeline.progress import Advance
from pipeline.storage.scan_record import ScanRecord
from pipeline.verify.consistency import image_faults, picture_faults, scan_faults
from pipeline.verify.examples import example_faults
from pipeline.verify.statistics import shape_faults, statistics_faults


def store_faults(
    run: Run, projections: zarr.Group, crops: zarr.Group, advance: Advance
) -> Iterator[str]:
    """What is wrong with the stores of a run without recomputing anything.

    Every byte is read, and every image shown is hashed. `advance` is called for each layer.
    """
    finite = all(bool(w.isfinite().all()) for w in run.model().state_dict().values())
    for layer, record in run.records.items():
        if shapes := list(shape_faults(run.graph, layer, record, len(run.card.classes))):
            yield from shapes  # whatever else is wrong cannot be said of such arrays
        else:
            yield from _layer_faults(run, layer, finite=finite)
            yield from _picture_faults(run, layer, record, projections, crops)
        advance(1)
    yield from image_faults(run.records, run.images, run.image_store)


def _layer_faults(run: Run, layer: str, *, finite: bool) -> Iterator[str]:
    """What is wrong with a layer of the scan."""
    graph, record, rows = run.graph, run.records[layer], run.images
    yield from scan_faults(graph, layer, record, rows)
    yield from statistics_faults(graph, layer, record, rows, run.card.classes, finite=finite)


def _picture_faults(
    run: Run, layer: str, record: ScanRecord, projections: zarr.Group, crops: zarr.Group
) -> Iterator[str]:
    """What is wrong with a layer's pictures, damaged bytes included."""
    try:
        yield from picture_faults(run.graph, layer, record, projections, crops)
        yield from example_faults(run.graph, layer, record, run.images, crops)
    except AtlasError as damage:
        yield damage.problem
