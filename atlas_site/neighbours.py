"""Channels of the same layer that are like one: by what they respond to, and by their filters."""

from collections.abc import Sequence

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.connections import Weights
from atlas_site.layers import LayerView
from atlas_site.script import significant
from atlas_site.similarity import distances, nearest
from atlas_site.weight_similarity import cosines, filter_vectors, most_alike

SIMILAR = 6


def similar_channels(catalogue: Catalogue, layer: LayerView) -> list[list[list[object]]]:
    """By channel the most similar of its layer by classes and images, as [number, distance]."""
    record = catalogue.atlas.scan(layer.name)
    distance = distances(record.mean_peak_by_class, record.image)
    alive = np.array([not channel.dead for channel in layer.channels])
    return [
        [[n, significant(float(distance[channel.number, n]))] for n in found]
        for channel in layer.channels
        for found in [[] if channel.dead else nearest(distance, alive, channel.number, SIMILAR)]
    ]


def alike_channels(
    catalogue: Catalogue, layer: LayerView, weights: Sequence[Weights]
) -> list[list[list[object]]]:
    """By channel those of its layer whose filters are most alike, as [number, cosine].

    Empty lists for a layer that no scanned layer feeds, unless it sees the pixels.
    """
    below = [found for found in weights if found.above == layer.name]
    if not below and catalogue.has_filters(layer):
        filters = catalogue.atlas.weights.filters(layer.name).transpose(0, 3, 1, 2)
        below = [Weights("pixels", layer.name, filters, np.ones(filters.shape[1]))]
    if not below:
        return [[] for _ in layer.channels]
    cosine = cosines(filter_vectors(below))
    alive = np.array([not channel.dead for channel in layer.channels])
    return [
        [
            [n, significant(float(cosine[channel.number, n]))]
            for n in most_alike(cosine, alive, channel.number, SIMILAR)
        ]
        for channel in layer.channels
    ]
