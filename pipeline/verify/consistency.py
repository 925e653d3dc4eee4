"""Checks of every entry that need no recomputing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import zarr
from jaxtyping import Bool, Float16, Float32, Float64, Int16, Int32, Int64, UInt8

from pipeline.atlas.stored_size import reduced_size, reduction
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import read_verified
from pipeline.errors import AtlasError
from pipeline.network.centres import unit_centres
from pipeline.network.graph import Graph
from pipeline.network.receptive_field import receptive_field
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.stores import SHARD_CHANNELS, open_layer, read_array

ENERGY_SHARE = 0.9
"""The share of its projection's sum of squares that an energy box holds."""
ENERGY_ROUNDING = 1e-4
"""Relative, of sums of squares in single precision."""
MAP_ROUNDING = 1e-4
"""Of a forward pass in single precision, relative to the layer's largest activation."""

SIMILARITY_ROUNDING = 1e-2
"""Of unit vectors in half precision."""


def scan_faults(
    graph: Graph, layer: str, record: ScanRecord, rows: Sequence[ImageRow]
) -> Iterator[str]:
    """What is wrong with a layer's entries in the scan, by the meaning of the arrays alone."""
    image, activation, cell = record.image, record.activation, record.cell
    missing = image == -1
    found, outside = ~missing, (cell < 0) | (cell >= np.array(graph.layer(layer).size))
    channel = np.broadcast_to(np.arange(len(image))[:, None], image.shape)
    boxes = receptive_field(graph, layer).unit_boxes(channel, cell)
    ahead, behind = activation[:, :-1], activation[:, 1:]
    swapped = (ahead < behind) | ((ahead == behind) & (image[:, :-1] > image[:, 1:]))
    rules: dict[str, Bool[np.ndarray, "channel rank"]] = {
        "an image row outside the manifest": (image < -1) | (image >= len(rows)),
        "a missing entry with values": missing
        & ((activation != 0) | (cell != -1).any(axis=2) | (record.box != 0).any(axis=2)),
        "an activation that is not a number": ~np.isfinite(activation),
        "a cell outside the map": found & outside.any(axis=2),
        "a box that is not its cell's": found & (record.box != boxes).any(axis=2),
    }
    if graph.layer(layer).rectified:
        rules["an activation that is not above 0"] = found & ~(activation > 0)
    for what, broken in rules.items():
        yield from named_faults(layer, what, broken)
    both = found[:, :-1] & found[:, 1:]
    yield from named_faults(layer, "a stronger entry after it", swapped & both)
    yield from named_faults(layer, "an entry after a missing one", missing[:, :-1] & found[:, 1:])
    yield from named_faults(layer, "an image twice", _repeated(record))


def picture_faults(
    graph: Graph, layer: str, record: ScanRecord, projections: zarr.Group, crops: zarr.Group
) -> Iterator[str]:
    """What is wrong with a layer's pictures: every byte of both stores is read for it.

    Raises AtlasError where a chunk's checksum does not fit its bytes.
    """
    pictures, patches = open_layer(projections, layer), open_layer(crops, layer)
    field, factor = receptive_field(graph, layer), reduction(graph, layer, record.image.shape[1])
    size = reduced_size(field.size, factor)
    frames = field.boxes(record.cell) * (record.image >= 0)[..., None]
    centres = unit_centres(graph, layer, record.cell)
    for first in range(0, len(record.image), SHARD_CHANNELS):
        part = slice(first, first + SHARD_CHANNELS)
        scale = read_array(pictures, "projections", "scale", part)
        picture = read_array(pictures, "projections", "projection", part)
        patch = read_array(patches, "crops", "crop", part)
        missing = record.image[part] == -1
        if not missing.shape == scale.shape == picture.shape[:2] == patch.shape[:2]:
            yield f"{layer} has pictures of other channels or ranks than the scan"
            return
        if not picture.shape[2:4] == patch.shape[2:4] == size:
            yield f"{layer} has pictures of {picture.shape[2:4]} pixels, not {size}"
            return
        largest = np.abs(picture).max(axis=(2, 3, 4))
        energy = read_array(pictures, "projections", "energy_box", part)
        rules = {
            "a scale that is not a size": ~(np.isfinite(scale) & (scale >= 0)),
            "a projection that its scale does not fit": ~(largest == (scale > 0)),
            "pictures though it is missing": missing & ((scale != 0) | patch.any(axis=(2, 3, 4))),
            "an activation map that its activation does not fit": ~missing
            & ~_peaks_there(
                read_array(pictures, "projections", "activation_map", part),
                read_array(pictures, "projections", "map_range", part),
                record.cell[part],
                record.activation[part],
                MAP_ROUNDING * float(np.abs(record.activation).max()),
            ),
            "an energy box that its projection does not fit": ~_fits(
                energy, frames[part], centres[part], picture, factor
            ),
        }
        for what, broken in rules.items():
            yield from named_faults(layer, what, broken, first)
    similarity = read_array(pictures, "projections", "patch_similarity")
    alone = (record.image >= 0).sum(axis=1) < 2
    wrong = (np.isnan(similarity) != alone) | (np.abs(similarity) > 1 + SIMILARITY_ROUNDING)
    yield from named_faults(layer, "no patch similarity from −1 to 1", wrong[:, None])


def _peaks_there(
    levels: UInt8[np.ndarray, "channel rank map_row map_col"],
    ends: Float32[np.ndarray, "channel rank 2"],
    cell: Int32[np.ndarray, "channel rank 2"],
    activation: Float32[np.ndarray, "channel rank"],
    slack: float,
) -> Bool[np.ndarray, "channel rank"]:
    """Whether the largest value of each map is the activation, and is at the entry's cell.

    The map was computed by another batch of the same network, so ties may part by a rounding.
    """
    channel, rank = np.indices(activation.shape)
    at_cell = levels[channel, rank, cell[..., 0], cell[..., 1]]
    apart = np.abs(ends[..., 1] - activation) > slack + MAP_ROUNDING * np.abs(activation)
    low = (at_cell < 254) & (ends[..., 1] > ends[..., 0])
    there: Bool[np.ndarray, "channel rank"] = ~apart & ~low
    return there


def _fits(
    energy: Int16[np.ndarray, "channel rank 4"],
    frame: Int32[np.ndarray, "channel rank 4"],
    centre: Float64[np.ndarray, "channel rank 2"],
    picture: Float16[np.ndarray, "channel rank row col 3"],
    pixel: int,
) -> Bool[np.ndarray, "channel rank"]:
    """Whether each energy box is around its centre and holds enough, and the next smaller one too
    little.

    A picture's pixel stands for `pixel` of the image's along each side.
    """
    sums = _sums_to(picture)
    whole = sums[:, :, -1, -1]
    least, most = (ENERGY_SHARE * (1 + sign * ENERGY_ROUNDING) * whole for sign in (-1, 1))
    fits: Bool[np.ndarray, "channel rank"] = (whole == 0) & (energy == frame).all(axis=2)
    top_left, ends, size = frame[..., :2], frame[..., 2:], np.array(picture.shape[2:4])
    halves = np.floor((centre - top_left) * 2 / pixel + 0.5).astype(np.int64)
    smaller = np.zeros_like(whole)
    for reach in range(1, 2 * int(size.max()) + 1):
        # In pixels of the picture, whose last ones may stand for fewer of the image's.
        start = (np.ceil(halves / 2).astype(np.int64) - reach).clip(0, size)
        stop = (halves // 2 + reach).clip(0, size)
        within = _between(sums, start, stop)
        square = [top_left + pixel * start, np.minimum(ends, top_left + pixel * stop)]
        same = (energy == np.concatenate(square, axis=2)).all(axis=2)
        fits |= same & (whole > 0) & (within >= least) & (smaller <= most)
        smaller = within
    return fits


def _sums_to(
    picture: Float16[np.ndarray, "channel rank row col 3"],
) -> Float64[np.ndarray, "channel rank _ _"]:
    """The sum of squares above and to the left of every corner of a picture's pixels."""
    squares = np.square(picture, dtype=np.float32).sum(axis=4).astype(np.float64)
    padded = np.pad(squares, ((0, 0), (0, 0), (1, 0), (1, 0)))
    return padded.cumsum(axis=2).cumsum(axis=3)


def _between(
    sums: Float64[np.ndarray, "channel rank _ _"],
    start: Int64[np.ndarray, "channel rank 2"],
    stop: Int64[np.ndarray, "channel rank 2"],
) -> Float64[np.ndarray, "channel rank"]:
    """The sum of squares between two corners of each picture."""
    channel, rank = np.indices(sums.shape[:2])

    def to(row: Int64[np.ndarray, "channel rank"], col: Int64[np.ndarray, "channel rank"]) -> Any:
        return sums[channel, rank, row, col]

    (top, left), (bottom, right) = np.moveaxis(start, 2, 0), np.moveaxis(stop, 2, 0)
    found: Float64[np.ndarray, "channel rank"] = (
        to(bottom, right) - to(top, right) - to(bottom, left) + to(top, left)
    )
    return found


def image_faults(
    records: Mapping[str, ScanRecord], rows: Sequence[ImageRow], images: ImageStore
) -> Iterator[str]:
    """Images that some entry shows and whose files are not what the manifest lists."""
    shown = np.unique(np.concatenate([record.image.ravel() for record in records.values()]))
    for row in shown[(shown >= 0) & (shown < len(rows))].tolist():
        try:
            read_verified(images, rows[row])
        except AtlasError as error:
            yield error.problem.removesuffix(".")


def _repeated(record: ScanRecord) -> Bool[np.ndarray, "channel rank"]:
    """Entries whose image has another rank of the same channel too."""
    same = record.image[:, :, None] == record.image[:, None, :]
    found: Bool[np.ndarray, "channel rank"] = (same.sum(axis=2) > 1) & (record.image >= 0)
    return found


def named_faults(
    layer: str, what: str, broken: Bool[np.ndarray, "channel rank"], first: int = 0
) -> Iterator[str]:
    """One sentence for a rule that some entries break."""
    count = int(broken.sum())
    if count:
        channel, rank = np.argwhere(broken)[0].tolist()
        others = f", as {count - 1} others" if count > 1 else ""
        yield f"{layer} channel {channel + first} rank {rank} has {what}{others}"
