"""The data of the map of channels: of all, and of each layer by itself."""

from collections.abc import Mapping, Sequence

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.channel_map import SIDE, map_of, region_labels
from atlas_site.channels import Channel


def map_data(catalogue: Catalogue) -> Mapping[str, object]:
    """The map of all channels that are not dead, and one of each layer's, laid out by themselves.

    A map has the place of each channel as [layer, number, x, y], and the labels of its regions.
    """
    alive = [[channel for channel in one.channels if not channel.dead] for one in catalogue.layers]
    own = [_one_map(catalogue, channels) for channels in alive]
    both = own[0] if len(own) == 1 else _one_map(catalogue, [c for part in alive for c in part])
    return {"side": SIDE, **both, "layers": own}


def _one_map(catalogue: Catalogue, channels: Sequence[Channel]) -> Mapping[str, object]:
    if not channels:
        return {"places": [], "labels": []}
    position = {layer.key: place for place, layer in enumerate(catalogue.layers)}
    addresses = np.array([(position[channel.key], channel.number) for channel in channels])
    places = map_of(catalogue.atlas, addresses)
    number = catalogue.class_number
    favourites = np.array([number.get(channel.favourite, -1) for channel in channels])
    return {
        "places": np.concatenate([addresses, places], axis=1).tolist(),
        "labels": region_labels(places, favourites),
    }
