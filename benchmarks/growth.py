"""Growth: ten million partial results through the scan's own chunks, merge and checkpoint.

The partial results are made up; the bookkeeping of chunks, the merge and the file on disk are the
real ones. Neither time nor memory per million may grow.
"""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from benchmarks.memory import alone, peak_mib
from benchmarks.row import Row
from pipeline.network.geometry import whole_map
from pipeline.network.receptive_field import Field
from pipeline.scan.checkpoint import ScanCheckpoint
from pipeline.scan.class_means import ClassMeans
from pipeline.scan.examples import Examples
from pipeline.scan.histogram import Histogram
from pipeline.scan.layer_statistics import LayerStatistics
from pipeline.scan.partition import ImageChunk, chunk_count, image_chunks
from pipeline.scan.statistic import LayerFacts, PeakBatch
from pipeline.scan.strongest import StrongestImages
from pipeline.scan.topk import EMPTY

RANKS = 9
CLASSES = 1_000
MADE = 50
"""Partial results made up, and merged again and again under other rows and classes."""
BATCH = 32
SAVE_EVERY_S = 10.0
ALL_CHANNELS = 1_376
"""Of conv1 to conv5 of ZFNet."""


@dataclass(frozen=True)
class Mark:
    """What merging has cost up to here."""

    parts: int
    """Partial results merged."""
    s_per_million: float
    """CPU seconds, of the parts since the last mark."""
    peak_mib: float
    """The most memory that the process ever held."""


def rows(quick: bool) -> Iterator[Row]:
    """Time and memory at the end of many partial results against those at the tenth part."""
    parts = 200_000 if quick else 10_000_000
    marks = alone(merged, parts, 10, 8)
    first, last = marks[0], marks[-1]
    images = BATCH * (parts // 4) ** 2
    yield Row(
        f"the last tenth of {parts:,} partial results",
        "the first tenth",
        last.s_per_million / first.s_per_million,
        "×",
        1.1,
        "lower",
        f"{last.s_per_million:.0f} against {first.s_per_million:.0f} CPU seconds per million, "
        f"8 channels; as chunks of that many, {images:.1e} images",
    )
    yield _memory_row(f"{parts:,} partial results: peak memory", "a tenth of them", first, last)
    if quick:
        return
    parts = 40_000  # the first tenth has met every class
    first, *_, last = alone(merged, parts, 10, ALL_CHANNELS)
    what = (
        f"{ALL_CHANNELS:,} channels × {CLASSES:,} classes, {parts:,} partial results: peak memory"
    )
    yield _memory_row(what, "a tenth of them", first, last)


def _memory_row(what: str, against: str, first: Mark, last: Mark) -> Row:
    note = f"{last.peak_mib:.0f} against {first.peak_mib:.0f} MiB, in a process of its own"
    return Row(what, against, last.peak_mib / first.peak_mib, "×", 1.05, "lower", note)


def merged(parts: int, marks: int, channels: int) -> list[Mark]:
    """Merge so many partial results of a layer, with a mark after every equal share of them."""
    finished = np.full(parts, False)  # written now: a page of zeros takes memory once it is touched
    checkpoint = ScanCheckpoint({"conv": _empty(channels)}, finished)
    made = made_up(channels)
    found, every = [], parts // marks
    start, saved = time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for chunk in islice(_chunks(parts), parts):
            part = made[chunk.number % MADE]
            part.move(chunk.number)
            checkpoint.merge(chunk.number, {"conv": part.statistics})
            if time.monotonic() - saved > SAVE_EVERY_S:
                checkpoint.save(Path(folder) / "checkpoint")
                saved = time.monotonic()
            if (chunk.number + 1) % every == 0:
                now = time.process_time()
                found.append(Mark(chunk.number + 1, (now - start) / every * 1e6, peak_mib()))
                start = now
    assert checkpoint.finished.all()
    histogram = checkpoint.layers["conv"].by_name["histogram"]
    assert isinstance(histogram, Histogram)
    assert int(histogram.counts[0].sum()) == parts
    return found


def _chunks(parts: int) -> Iterator[ImageChunk]:
    """The chunks of a data set that has at least so many: their number grows with its root."""
    images = BATCH * (parts // 4 + 1) ** 2
    assert chunk_count(images, BATCH) >= parts
    return image_chunks(images, BATCH)


class Part:
    """A partial result of one image, which can be made that of another."""

    def __init__(self, statistics: LayerStatistics) -> None:
        self.statistics = statistics
        strongest, examples = statistics.by_name["strongest"], statistics.by_name["examples"]
        means = statistics.by_name["class_means"]
        assert isinstance(strongest, StrongestImages)
        assert isinstance(examples, Examples)
        assert isinstance(means, ClassMeans)
        tops = (strongest.top, *examples.tops.values())
        # The row of an image is the low half of its key. Moved in place, it costs the measured time
        # next to nothing.
        self._rows = [top.key.view("<u4")[:, 0] for top in tops if (top.key[:, 0] != EMPTY).all()]
        self._labels = means.sums.labels

    def move(self, number: int) -> None:
        """Give it another image row, and a class."""
        for rows in self._rows:
            rows[:] = number
        self._labels[0] = number % CLASSES


def made_up(channels: int) -> list[Part]:
    """A few statistics of one image each, with ties; the image row and the class are still open."""
    rng = np.random.default_rng(0)
    parts = []
    for _ in range(MADE):
        statistics = _empty(channels)
        peaks = rng.integers(1, 100_000, (1, channels)).astype(np.float32)
        cells = np.zeros((1, channels, 2), np.int32)
        statistics.add(PeakBatch(peaks, np.zeros(1, np.int32), np.zeros(1, np.int64), cells))
        parts.append(Part(statistics))
    return parts


def _empty(channels: int) -> LayerStatistics:
    classes, field = tuple(map(str, range(CLASSES))), Field(whole_map(1), whole_map(1))
    return LayerStatistics(LayerFacts("conv", channels, (1, 1), False, field, RANKS, classes))
