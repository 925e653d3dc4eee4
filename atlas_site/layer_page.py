"""The page of a layer: what it shows beside the channels themselves."""

from collections.abc import Mapping

from atlas_site.catalogue import Catalogue
from atlas_site.layers import LayerView
from atlas_site.sprites import (
    EXAMPLE_CHANNELS,
    SpriteRegion,
    example_path,
    filter_grid,
    filters_path,
)

MANY_FILTERS = 256
"""More filters of a layer than these are folded, and read when they are unfolded."""
METHODS = {
    "deconvnet": "Projected by the deconvnet",
    "guided": "Projected by guided backpropagation",
    "gradient": "Projected by the gradient",
}


def layer_context(catalogue: Catalogue, place: int) -> Mapping[str, object]:
    """What the template needs for the layer at a place in the order of the network."""
    layers, layer = catalogue.layers, catalogue.layers[place]
    return {
        "layer": layer,
        "filters": _filters(catalogue, layer) if catalogue.has_filters(layer) else [],
        "few_filters": len(layer.channels) <= MANY_FILTERS,
        "before": layers[place - 1] if place else None,
        "after": layers[place + 1] if place + 1 < len(layers) else None,
        "validation_images": len(catalogue.atlas.images),
        "methods": METHODS,
        "example_sheets": _example_sheets(layer),
        "still_start": sum(channel.still_start for channel in layer.channels),
    }


def _filters(catalogue: Catalogue, layer: LayerView) -> list[tuple[int, SpriteRegion]]:
    """The filters of the first layer, by channel number."""
    weights = catalogue.atlas.weights.filters(layer.name)
    grid, src = filter_grid(len(weights)), filters_path(layer.key)
    return [(n, grid.region(src, n, weights.shape[1])) for n in range(len(weights))]


def _example_sheets(layer: LayerView) -> list[tuple[int, int, str]]:
    """The files of a layer's examples: first and last channel, path."""
    if not layer.bands:
        return []
    last = len(layer.channels) - 1
    starts = range(0, last + 1, EXAMPLE_CHANNELS)
    return [
        (first, min(first + EXAMPLE_CHANNELS - 1, last), example_path(layer.key, number))
        for number, first in enumerate(starts)
    ]
