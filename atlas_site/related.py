"""Channels that fire on the same images."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int32

SHOWN_RELATED = 6
LEAST_SHARED = 2


@dataclass(frozen=True)
class RelatedChannel:
    """A channel that shares images with another."""

    layer: str
    channel: int
    shared: int
    """How many of the images among the strongest of both."""


ChannelsByImage = Mapping[int, list[tuple[str, int]]]


def channels_by_image(images: Mapping[str, Int32[np.ndarray, "_ _"]]) -> ChannelsByImage:
    """By image row: the (layer, channel) pairs that hold it among their strongest."""
    found: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for layer, rows in images.items():
        for channel, row in enumerate(rows):
            for image in row[row >= 0].tolist():
                found[image].append((layer, channel))
    return found


def related_channels(
    layer: str, channel: int, images: Int32[np.ndarray, " rank"], by: ChannelsByImage
) -> list[RelatedChannel]:
    """The channels that share most images with one: up to six of its layer, then six of others.

    Ordered by the images shared, then by layer and number.
    """
    shared: Counter[tuple[str, int]] = Counter()
    for image in images[images >= 0].tolist():
        shared.update(by[image])
    del shared[layer, channel]
    ordered = sorted(shared.items(), key=lambda item: (-item[1], item[0]))
    related = [RelatedChannel(*place, count) for place, count in ordered if count >= LEAST_SHARED]
    here = [k for k in related if k.layer == layer][:SHOWN_RELATED]
    elsewhere = [k for k in related if k.layer != layer][:SHOWN_RELATED]
    return here + elsewhere
