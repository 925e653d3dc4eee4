"""Images omitted by a scan: a sample is looked for at the ranks that its peaks give it."""

from collections.abc import Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float64

from pipeline.network.graph import Graph
from pipeline.storage.scan_record import ScanRecord
from pipeline.verify.entry import unit_of
from pipeline.verify.reference import ReferencePass


def omissions(
    graph: Graph,
    records: Mapping[str, ScanRecord],
    row: int,
    passed: ReferencePass,
    allowed: float,
) -> Iterator[str]:
    """Channels whose entries lack an image though its peak exceeds the last of them.

    `passed` is the image's pass up to all layers of the records. `allowed` is the error of an
    activation, as in `check_entry`: a peak that passes the last entry by less may come after it.
    """
    for layer, record in records.items():
        maps = passed.maps(layer)
        peaks = maps.flatten(1).amax(dim=1)
        unit = unit_of(maps)
        omitting = _channels_without(graph, layer, record, row, peaks, allowed * unit)
        if len(omitting):
            first, others = omitting[0], len(omitting) - 1
            more = f", as {others} other channels do" if others else ""
            yield f"{layer} channel {first} lacks image row {row}, peak {peaks[first]:.6g}{more}"


def _channels_without(
    graph: Graph,
    layer: str,
    record: ScanRecord,
    row: int,
    peaks: Float64[torch.Tensor, " channel"],
    margin: Float64[torch.Tensor, " channel"],
) -> list[int]:
    lowest = 0.0 if graph.layer(layer).rectified else -np.inf
    full = record.image[:, -1] >= 0
    last = np.where(full, record.activation[:, -1].astype(np.float64), lowest)
    clear = (peaks - margin).numpy() > last
    absent = (record.image != row).all(axis=1)
    omitting: list[int] = np.nonzero(clear & absent & peaks.isfinite().numpy())[0].tolist()
    return omitting
