"""The data of the channels' views, in files of a few channels each: a page reads the one of the
channel that is opened."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.connections import Weights
from atlas_site.layers import LayerView
from atlas_site.neighbours import alike_channels, similar_channels
from atlas_site.related import related_channels
from atlas_site.script import significant
from atlas_site.selectivity import top_classes

PART_CHANNELS = 64
"""Channels in one file: some 100 KB."""
SHOWN_BINS = 64


def part_facts(key: str) -> Mapping[str, object]:
    """How a page finds a channel's file; in `src` a number replaces the braces."""
    return {"channels": PART_CHANNELS, "src": _name(key, "{}")}


def bins_shown_as_one(bins: int) -> int:
    """How many of so many bins of a histogram are one in the pages."""
    return -(-bins // SHOWN_BINS)


def channel_data(
    catalogue: Catalogue, layer: LayerView, weights: Sequence[Weights]
) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The files of a layer's channels, as (name, value): entries, statistics, related channels."""
    channels = _channels(catalogue, layer, weights)
    for first in range(0, len(channels), PART_CHANNELS):
        part = channels[first : first + PART_CHANNELS]
        yield _name(layer.key, first // PART_CHANNELS), {"channels": part}


def _name(key: str, number: int | str) -> str:
    return f"channels/{key}-{number}"


def _channels(
    catalogue: Catalogue, layer: LayerView, weights: Sequence[Weights]
) -> list[Mapping[str, object]]:
    scales = catalogue.atlas.pictures.scales(layer.name)
    energy = catalogue.atlas.pictures.energy_boxes(layer.name)
    similar = similar_channels(catalogue, layer)
    alike = alike_channels(catalogue, layer, weights)
    sizes = catalogue.atlas.field(layer.name).channel_sizes()
    return [
        {
            **_entries_and_statistics(catalogue, layer, c.number),
            "scale": [significant(float(scale)) for scale in scales[c.number, : c.entries]],
            "similar": similar[c.number],
            "alike": alike[c.number],
            **({} if sizes is None else {"size": sizes[c.number]}),
            "energy": [] if energy is None else energy[c.number, : c.entries].tolist(),
        }
        for c in layer.channels
    ]


def _entries_and_statistics(
    catalogue: Catalogue, layer: LayerView, number: int
) -> Mapping[str, object]:
    record, kept = catalogue.atlas.scan(layer.name), layer.channels[number].entries
    bins = record.histogram.shape[1]
    starts = np.arange(0, bins, bins_shown_as_one(bins))
    names = [one.name for one in catalogue.layers]
    return {
        "activation": [significant(float(a)) for a in record.activation[number, :kept]],
        "cell": record.cell[number, :kept].tolist(),
        "corner": record.box[number, :kept, :2].tolist(),
        "histogram": np.add.reduceat(record.histogram[number], starts).tolist(),
        "classes": [[c, significant(m)] for c, m in top_classes(record.mean_peak_by_class[number])],
        "related": [
            [names.index(k.layer), k.channel, k.shared]
            for k in related_channels(
                layer.name, number, record.image[number], catalogue.channels_by_image
            )
        ],
    }
