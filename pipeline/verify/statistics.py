"""Checks of a layer's shapes and statistics that need no recomputing."""

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float64, Int64

from pipeline.dataset.manifest import ImageRow
from pipeline.network.graph import Graph
from pipeline.storage.scan_record import ScanRecord

ROUNDING = 1e-6
"""Of a mean in single precision, relative, several times over."""
UNIT, LARGEST = 2.0**-30, 2.0**42
"""Means are of peaks in whole multiples of the one; a peak beyond the other counts as it."""


def shape_faults(graph: Graph, layer: str, record: ScanRecord, classes: int) -> Iterator[str]:
    """Arrays of a layer of the scan whose shape is not that of the network."""
    channels, ranks = graph.layer(layer).channels, record.image.shape[-1]
    expected = {
        "activation": (channels, ranks),
        "image": (channels, ranks),
        "cell": (channels, ranks, 2),
        "box": (channels, ranks, 4),
        "histogram": (channels, len(record.edges) - 1),
        "fired": (channels,),
        "mean_peak_by_class": (channels, classes),
    }
    for name, shape in expected.items():
        found = getattr(record, name).shape
        if found != shape:
            yield f"{layer}/{name} has the shape {found}, not {shape}"


def statistics_faults(
    graph: Graph,
    layer: str,
    record: ScanRecord,
    rows: Sequence[ImageRow],
    classes: Sequence[str],
    *,
    finite: bool,
) -> Iterator[str]:
    """What in a layer's statistics contradicts its entries, the manifest or themselves.

    A peak that is NaN or infinite is in no bin, so a histogram may count fewer images than there
    are, unless all weights are `finite`. The shapes must be right.
    """
    counted, fired = record.histogram.sum(axis=1), record.fired
    found = (record.image >= 0).sum(axis=1)
    positive = graph.layer(layer).rectified
    ranked = fired if positive else counted
    rules: dict[str, Bool[np.ndarray, " channel"] | np.bool] = {
        "a histogram with negative counts": (record.histogram < 0).any(axis=1),
        "more images in its histogram than there are": counted > len(rows),
        "fewer images in its histogram than there are": finite & (counted < len(rows)),
        "fired in more images than its histogram counts": (fired < 0) | (fired > counted),
        "another number of entries than of images that would rank": found
        != np.minimum(ranked, record.image.shape[1]),
    }
    images = _images_by_class(rows, classes)
    means = record.mean_peak_by_class
    rules["a mean for a class without images, or none for one with"] = (
        np.isnan(means) != (images == 0)
    ).any(axis=1)
    if positive:
        rules["a negative mean"] = (means < 0).any(axis=1)
        rules["a mean though it never fired"] = (fired == 0) & (means > 0).any(axis=1)
        rules["a class mean that one of its own entries exceeds"] = _exceeded(
            record, rows, classes, images
        )
    for what, broken in rules.items():
        if count := int(broken.sum()):
            others = f", as {count - 1} others" if count > 1 else ""
            yield f"{layer} channel {int(np.argmax(broken))} has {what}{others}"


def _images_by_class(
    rows: Sequence[ImageRow], classes: Sequence[str]
) -> Int64[np.ndarray, " class"]:
    labels = _labels(rows, classes)
    return np.bincount(labels[labels >= 0], minlength=len(classes)).astype(np.int64)


def _labels(rows: Sequence[ImageRow], classes: Sequence[str]) -> Int64[np.ndarray, " image"]:
    """Position of each image's class; −1 where the network has no such class."""
    position = {name: place for place, name in enumerate(classes)}
    return np.array([position.get(row.label, -1) for row in rows], np.int64)


def _exceeded(
    record: ScanRecord,
    rows: Sequence[ImageRow],
    classes: Sequence[str],
    images: Int64[np.ndarray, " class"],
) -> Bool[np.ndarray, " channel"]:
    """Channels in which the sum over a class is less than one of its peaks; none is negative."""
    label = np.append(_labels(rows, classes), -1)[np.clip(record.image, -1, len(rows))]
    channel = np.arange(len(label))[:, None]
    sums: Float64[np.ndarray, "channel class"] = record.mean_peak_by_class.astype(np.float64)
    sums = np.pad(sums * images, ((0, 0), (0, 1)), constant_values=np.inf)  # last: of no class
    least = np.minimum(record.activation, LARGEST) * (1 - ROUNDING) - UNIT
    broken: Bool[np.ndarray, " channel"] = (sums[channel, label] < least).any(axis=1)
    return broken
