"""Examples of a channel beyond its strongest: at quantiles of its peaks, the weakest, and none."""

import zlib

import numpy as np
from jaxtyping import Int32, Int64, Shaped, UInt32, UInt64

from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic, Wanted
from pipeline.scan.topk import TopK, by_peak, empty_topk, keys_of, peak_of
from pipeline.storage.entry import boxes_where_shown
from pipeline.storage.scan_record import Variable

EXAMPLES = 3
"""Per band."""
QUANTILES = (0.99, 0.9, 0.75, 0.5)
"""Of the peaks of the images that make the channel fire; of all images where peaks are signed."""
BANDS = (*(f"{quantile:.0%}" for quantile in QUANTILES), "weakest", "silent")
SAMPLE = 64
"""Images per channel of which the quantiles are taken."""


class Examples(Statistic):
    """Images of each channel at four quantiles of its peaks, its weakest, and silent ones.

    The quantiles are those of a sample of the images that make the channel fire: the 64 with the
    smallest hashes of (layer, channel, image row), all where there are fewer. So which images are
    sampled depends on nothing else, and a channel that fires seldom has its examples too. The
    silent images, whose peak is 0, are sampled alike. The weakest are exact.
    """

    def __init__(self, facts: LayerFacts) -> None:
        self._facts = facts
        self._salt = zlib.crc32(facts.name.encode())
        self.tops = {
            "sample": empty_topk(facts.channels, SAMPLE),
            "weakest": empty_topk(facts.channels, EXAMPLES),
            "silent": empty_topk(facts.channels, EXAMPLES),
        }

    def wants(self, rows: Int32[np.ndarray, " image"]) -> Wanted:
        """The peaks that enter the sample or the weakest, and ties; a silent image has no peak."""
        sample, weakest, floor = self.tops["sample"], self.tops["weakest"], self._facts.floor
        sampled = _hashes(rows, self._facts.channels, self._salt) <= sample.last_order
        most = np.fmin(peak_of(weakest.last_order), np.inf)  # NaN: a place is empty
        return lambda peaks, images: (sampled[images] | (peaks <= most)) & (peaks > floor)

    def add(self, batch: PeakBatch) -> None:
        """Sample the peaks of some images."""
        peaks, rows = batch.peaks, batch.rows
        fires = self._facts.fires(peaks)
        hashed = keys_of(_hashes(rows, self._facts.channels, self._salt), rows)
        self.tops["sample"].add(hashed, fires, batch)
        self.tops["weakest"].add(keys_of(by_peak(peaks), rows), fires, batch)
        self.tops["silent"].add(hashed, np.isfinite(peaks) & ~fires, batch)

    def merge(self, other: "Examples") -> None:
        """Take in the samples of other images."""
        for name, top in self.tops.items():
            top.merge(other.tops[name])

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The samples, their arrays named `sample.key` and so on."""
        return {
            f"{name}.{part}": values
            for name, top in self.tops.items()
            for part, values in top.state().items()
        }

    def restore(self, state: Arrays) -> None:
        """Replace them."""
        for name, top in self.tops.items():
            top.restore({part: state[f"{name}.{part}"] for part in top.state()})

    def limits(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """The last key of each."""
        return {name: top.key[:, -1].copy() for name, top in self.tops.items()}

    def set_limits(self, limits: Arrays) -> None:
        """Leave out images that come after."""
        for name, top in self.tops.items():
            top.limit = limits[name]

    def result(self) -> dict[str, Variable]:
        """The examples of all bands, strongest band first, in one dimension."""
        sample, weakest, silent = self.tops.values()
        chosen = [*(_at_quantile(sample, quantile) for quantile in QUANTILES), weakest, silent]
        activation = np.concatenate([top.peak for top in chosen], axis=1)
        image = np.concatenate([top.image for top in chosen], axis=1)
        rows, cols = self._facts.map_size
        # A silent map is 0 everywhere: the patch in the middle stands for the image.
        middle = np.array([rows // 2, cols // 2], np.int32)
        silent_cell = np.where((silent.image < 0)[..., None], np.int32(-1), middle)
        cell = np.concatenate([*(top.cell for top in chosen[:-1]), silent_cell], axis=1)
        box = boxes_where_shown(image, self._facts.boxes(cell))
        entry = ("channel", "example")
        return {
            "example_activation": Variable(activation, entry),
            "example_image": Variable(image, entry),
            "example_cell": Variable(cell, (*entry, "axis")),
            "example_box": Variable(box, (*entry, "edge")),
            "example": Variable(np.repeat(BANDS, EXAMPLES), ("example",)),
        }


def _at_quantile(sample: TopK, quantile: float) -> TopK:
    """The images of each channel next to a quantile of its sample, strongest first."""
    count = (sample.image >= 0).sum(axis=1)
    middle = np.rint(quantile * (count - 1)).astype(np.int64)
    first = np.clip(middle - EXAMPLES // 2, 0, np.maximum(count - EXAMPLES, 0))
    # Ascending by (peak, image row), empty places last.
    by_strength = np.argsort(_sorting(sample), axis=1)
    places = first[:, None] + np.arange(EXAMPLES)[::-1]
    chosen: Int64[np.ndarray, "channel rank"] = np.take_along_axis(by_strength, places, 1)
    # A place beyond the last image is an empty one; such places go behind the others.
    order = np.argsort(places >= count[:, None], axis=1, kind="stable")
    chosen = np.take_along_axis(chosen, order, 1)
    return TopK(
        np.take_along_axis(sample.key, chosen, 1),
        np.take_along_axis(sample.peak, chosen, 1),
        np.take_along_axis(sample.cell, chosen[..., None], 1),
    )


def _sorting(sample: TopK) -> UInt64[np.ndarray, "channel rank"]:
    rows = np.where(sample.image < 0, 0, sample.image).astype(np.uint64)
    strength = (by_peak(sample.peak).astype(np.uint64) << np.uint64(32)) | rows
    return np.where(sample.image < 0, np.uint64(2**64 - 1), strength)


def _hashes(
    rows: Int32[np.ndarray, " image"], channels: int, salt: int
) -> UInt32[np.ndarray, "image channel"]:
    """A hash of each (image row, channel), by the finaliser of SplitMix64."""
    row, channel = rows.astype(np.uint64)[:, None], np.arange(channels, dtype=np.uint64)
    number: UInt64[np.ndarray, "image channel"] = (row << np.uint64(32)) | channel
    number = (number ^ np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
    number = (number ^ (number >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    number = (number ^ (number >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    number = (number ^ (number >> np.uint64(31))) >> np.uint64(32)
    return number.astype(np.uint32)
