"""Batches of peaks and facts of layers for the tests of statistics."""

import numpy as np

from pipeline.network.geometry import AxisWindow
from pipeline.network.receptive_field import Field
from pipeline.scan.statistic import LayerFacts, PeakBatch

FIELD = Field(AxisWindow(-1, 2, 7, 12), AxisWindow(-1, 2, 7, 14))


def facts(channels: int, *, signed=False, ranks=9, classes=("one", "two"), name="conv1"):
    return LayerFacts(name, channels, (5, 6), signed, FIELD, ranks, classes)


def batch(peaks, rows=None, labels=None) -> PeakBatch:
    """The peaks of some images; the cell of each is (image row modulo 5, channel modulo 6)."""
    peaks = np.asarray(peaks, np.float32)
    rows = np.arange(len(peaks)) if rows is None else np.asarray(rows)
    labels = rows % 2 if labels is None else np.asarray(labels)
    row, col = np.broadcast_arrays(rows[:, None] % 5, np.arange(peaks.shape[1]) % 6)
    cells = np.stack([row, col], axis=2).astype(np.int32)
    return PeakBatch(peaks, rows.astype(np.int32), labels.astype(np.int64), cells)
