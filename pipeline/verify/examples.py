"""Checks of a layer's examples that need no recomputing."""

from collections.abc import Iterator, Sequence

import numpy as np
import zarr
from jaxtyping import Bool

from pipeline.dataset.manifest import ImageRow
from pipeline.network.graph import Graph
from pipeline.network.receptive_field import receptive_field
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.stores import SHARD_CHANNELS, open_layer, read_array
from pipeline.verify.consistency import named_faults


def example_faults(
    graph: Graph, layer: str, record: ScanRecord, rows: Sequence[ImageRow], crops: zarr.Group
) -> Iterator[str]:
    """What is wrong with a layer's examples and their crops; nothing where it has none.

    Raises AtlasError where a chunk's checksum does not fit its bytes.
    """
    if record.examples is None:
        return
    image, activation = record.examples.example_image, record.examples.example_activation
    cell, box = record.examples.example_cell, record.examples.example_box
    missing, silent = image == -1, np.array([band == "silent" for band in record.examples.example])
    channel = np.broadcast_to(np.arange(len(image))[:, None], image.shape)
    boxes = receptive_field(graph, layer).unit_boxes(channel, cell)
    size, positive = np.array(graph.layer(layer).size), graph.layer(layer).rectified
    rules: dict[str, Bool[np.ndarray, "channel example"]] = {
        "an image row outside the manifest": (image < -1) | (image >= len(rows)),
        "a missing example with values": missing
        & ((activation != 0) | (cell != -1).any(axis=2) | (box != 0).any(axis=2)),
        "a cell outside the map": ~missing & ((cell < 0) | (cell >= size)).any(axis=2),
        "a box that is not its cell's": ~missing & (box != boxes).any(axis=2),
        "a peak above the strongest": ~missing & (activation > record.activation[:, :1]),
        "a silent example with a peak": silent & (activation != 0),
        "an example that does not fire": ~missing & ~silent & positive & ~(activation > 0),
    }
    for what, broken in rules.items():
        yield from named_faults(layer, f"{what} among its examples", broken)
    yield from _crop_faults(layer, missing, crops)


def _crop_faults(
    layer: str, missing: Bool[np.ndarray, "channel example"], crops: zarr.Group
) -> Iterator[str]:
    """Crops of missing examples that show something; every byte is read for it."""
    group = open_layer(crops, layer)
    for first in range(0, len(missing), SHARD_CHANNELS):
        part = slice(first, first + SHARD_CHANNELS)
        patch = read_array(group, "crops", "example_crop", part)
        if patch.shape[:2] != missing[part].shape:
            yield f"{layer} has crops of other examples than the scan"
            return
        shown = missing[part] & patch.any(axis=(2, 3, 4))
        yield from named_faults(layer, "an example's crop though it is missing", shown, first)
