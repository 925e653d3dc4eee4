"""What the scan knows of a layer after some images; two tallies of different images merge."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, Shaped

from pipeline.network.geometry import receptive_field
from pipeline.network.graph import Graph
from pipeline.scan.class_means import ClassMeans, empty_class_means
from pipeline.scan.histogram import Histogram, empty_histogram
from pipeline.scan.top import NO_IMAGE, Entries, Top, empty_top
from pipeline.storage.stores import ScanRecord


@dataclass
class LayerTally:
    """Top images and statistics of the peaks of one layer.

    Merging is associative and commutative to the bit: a maximum under a total order, and sums of
    whole numbers.
    """

    top: Top
    histogram: Histogram
    class_means: ClassMeans
    fired: Int64[np.ndarray, " channel"]
    """Images with a peak above 0."""
    unranked: Int64[np.ndarray, " channel"]
    """Images whose peak is NaN or infinite: counted here, and never ranked."""

    def candidates(
        self, peaks: Float32[np.ndarray, "image channel"]
    ) -> tuple[Int64[np.ndarray, " entry"], Int64[np.ndarray, " entry"]]:
        """(image, channel) positions of the peaks that may enter the top.

        The images come after all those added before: on equal peaks the earlier one stays.
        """
        lowest = -np.inf if self.histogram.signed else 0.0
        enters = (peaks > np.maximum(self.top.activation[:, -1], lowest)) & np.isfinite(peaks)
        image, channel = np.nonzero(enters)
        return image, channel

    def add(
        self,
        entries: Entries,
        peaks: Float32[np.ndarray, "image channel"],
        labels: Int64[np.ndarray, " image"],
    ) -> None:
        """Take in images: the entries of their candidates, all their peaks, their classes.

        A negative label is of no known class.
        """
        self.top.add(entries)
        self.histogram.add(peaks)
        self.class_means.add(peaks, labels)
        self.fired += np.count_nonzero((peaks > 0) & np.isfinite(peaks), axis=0)
        self.unranked += np.count_nonzero(~np.isfinite(peaks), axis=0)

    def merge(self, other: "LayerTally") -> None:
        """Take in the tally of other images."""
        self.top.merge(other.top)
        self.histogram.merge(other.histogram)
        self.class_means.merge(other.class_means)
        self.fired += other.fired
        self.unranked += other.unranked

    def arrays(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Everything, as arrays by name: what is kept on disk of an unfinished scan."""
        return {
            "activation": self.top.activation,
            "image": self.top.image,
            "cell": self.top.cell,
            "counts": self.histogram.counts,
            "range": np.array([self.histogram.exponent, self.histogram.signed]),
            "labels": self.class_means.labels,
            "images": self.class_means.images,
            "sums": self.class_means.sums,
            "fired": self.fired,
            "unranked": self.unranked,
        }


def empty_tally(channels: int, ranks: int, *, signed: bool) -> LayerTally:
    """The tally of no images; `signed` where activations can be negative (class scores)."""
    return LayerTally(
        empty_top(channels, ranks),
        empty_histogram(channels, signed=signed),
        empty_class_means(channels),
        np.zeros(channels, np.int64),
        np.zeros(channels, np.int64),
    )


def tally_of(arrays: Mapping[str, Shaped[np.ndarray, "..."]]) -> LayerTally:
    """A tally from what its `arrays` gave."""
    a = arrays
    exponent, signed = a["range"].tolist()
    return LayerTally(
        Top(a["activation"], a["image"], a["cell"]),
        Histogram(a["counts"], exponent, bool(signed)),
        ClassMeans(a["labels"], a["images"], a["sums"]),
        a["fired"],
        a["unranked"],
    )


def empty_tallies(graph: Graph, layers: tuple[str, ...], ranks: int) -> dict[str, LayerTally]:
    """Tallies of no images, by layer."""
    return {
        layer: empty_tally(
            graph.layer(layer).channels, ranks, signed=not graph.layer(layer).rectified
        )
        for layer in layers
    }


def record_of(tally: LayerTally, graph: Graph, layer: str, classes: int) -> ScanRecord:
    """A finished tally as the store's record: missing entries marked, boxes added."""
    missing = tally.top.image == NO_IMAGE
    boxes = receptive_field(graph, layer).boxes(tally.top.cell)
    return ScanRecord(
        activation=np.where(missing, np.float32(0), tally.top.activation),
        image=np.where(missing, np.int32(-1), tally.top.image),
        cell=tally.top.cell,
        box=np.where(missing[..., None], np.int32(0), boxes),
        histogram=tally.histogram.counts,
        fired=tally.fired,
        mean_peak_by_class=tally.class_means.means(classes),
        edges=tally.histogram.edges,
    )
