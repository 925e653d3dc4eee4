"""All statistics of one layer."""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import or_

import numpy as np
from jaxtyping import Int32, Shaped

from pipeline.network.graph import Graph
from pipeline.network.receptive_field import receptive_field
from pipeline.scan.class_means import ClassMeans
from pipeline.scan.counts import ImageCounts
from pipeline.scan.examples import Examples
from pipeline.scan.histogram import Histogram
from pipeline.scan.statistic import Arrays, LayerFacts, PeakBatch, Statistic, Wanted
from pipeline.scan.strongest import StrongestImages
from pipeline.storage.scan_record import Variable

STATISTICS: Mapping[str, Callable[[LayerFacts], Statistic]] = {
    "strongest": StrongestImages,
    "histogram": Histogram,
    "counts": ImageCounts,
    "class_means": ClassMeans,
    "examples": Examples,
}
"""Every statistic of the scan, by the name of its state. A new one is a line here."""

Limits = Mapping[str, Arrays]
"""By statistic, what `Statistic.limits` gave."""


class LayerStatistics:
    """The statistics of one layer after some images; those of different images merge."""

    def __init__(self, facts: LayerFacts) -> None:
        self.facts = facts
        self.by_name = {name: make(facts) for name, make in STATISTICS.items()}

    def wants(self, rows: Int32[np.ndarray, " image"]) -> Wanted:
        """The peaks of a batch whose cells some statistic may read."""
        each = [statistic.wants(rows) for statistic in self.by_name.values()]
        some = [wanted for wanted in each if wanted is not None]
        return lambda peaks, images: reduce(or_, [wanted(peaks, images) for wanted in some])

    def add(self, batch: PeakBatch) -> None:
        """Take in the peaks of images not seen before."""
        for statistic in self.by_name.values():
            statistic.add(batch)

    def merge(self, other: "LayerStatistics") -> None:
        """Take in the statistics of other images."""
        for name, statistic in self.by_name.items():
            statistic.merge(other.by_name[name])

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Everything that is kept, as arrays by `statistic/array`."""
        return {
            f"{name}/{part}": values
            for name, statistic in self.by_name.items()
            for part, values in statistic.state().items()
        }

    def restore(self, state: Arrays) -> None:
        """Replace everything by what `state` gave."""
        for name, statistic in self.by_name.items():
            statistic.restore({part: state[f"{name}/{part}"] for part in statistic.state()})

    def limits(self) -> dict[str, Arrays]:
        """What workers may leave out, since these statistics hold better."""
        return {name: statistic.limits() for name, statistic in self.by_name.items()}

    def set_limits(self, limits: Limits) -> None:
        """Leave out what statistics with these limits, merged with these, would not take."""
        for name, statistic in self.by_name.items():
            if limits[name]:
                statistic.set_limits(limits[name])

    def result(self) -> dict[str, Variable]:
        """All arrays of the layer in the scan's store."""
        results: dict[str, Variable] = {}
        for statistic in self.by_name.values():
            results.update(statistic.result())
        return results


def layer_facts(graph: Graph, name: str, ranks: int, classes: tuple[str, ...]) -> LayerFacts:
    """The facts of a layer, out of the network's description."""
    layer, field = graph.layer(name), receptive_field(graph, name)
    return LayerFacts(name, layer.channels, layer.size, not layer.rectified, field, ranks, classes)


def empty_statistics(
    graph: Graph, layers: tuple[str, ...], ranks: int, classes: tuple[str, ...]
) -> dict[str, LayerStatistics]:
    """The statistics of no images, by layer."""
    return {layer: LayerStatistics(layer_facts(graph, layer, ranks, classes)) for layer in layers}
