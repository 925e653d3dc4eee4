"""Channels that fire on the same images."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int32

SHOWN_RELATED = 6
LEAST_SHARED = 2


@dataclass(frozen=True)
class RelatedChannel:
    """A channel that shares images with another."""

    layer: str
    channel: int
    shared: int
    """How many of the images among the strongest of both."""


@dataclass(frozen=True)
class ChannelsByImage:
    """Which channels hold which images among their strongest."""

    channels: list[tuple[str, int]]
    """All channels, as (layer, number), ascending."""
    positions: Mapping[int, Int[np.ndarray, " holder"]]
    """By image row: positions in that list."""

    def holding(self, image: int) -> list[tuple[str, int]]:
        """The channels that hold an image."""
        return [self.channels[position] for position in self.positions[image].tolist()]


def channels_by_image(images: Mapping[str, Int32[np.ndarray, "_ _"]]) -> ChannelsByImage:
    """By image row the channels that hold it; `images` are those of the entries, by layer."""
    channels, rows = [], []
    for layer in sorted(images):
        channels += [(layer, number) for number in range(len(images[layer]))]
        rows += list(images[layer])
    holder = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    image = np.concatenate(rows)
    holder, image = holder[image >= 0], image[image >= 0]
    order = np.argsort(image, kind="stable")
    found, starts = np.unique(image[order], return_index=True)
    holders = np.split(holder[order], starts)[1:]
    return ChannelsByImage(channels, dict(zip(found.tolist(), holders, strict=True)))


def related_channels(
    layer: str, channel: int, images: Int32[np.ndarray, " rank"], by: ChannelsByImage
) -> list[RelatedChannel]:
    """The channels that share most images with one: up to six of its layer, then six of others.

    Ordered by the images shared, then by layer and number.
    """
    held = [by.positions[image] for image in images[images >= 0].tolist()]
    shared = np.bincount(np.concatenate([np.zeros(0, int), *held]), minlength=len(by.channels))
    enough = np.flatnonzero(shared >= LEAST_SHARED)
    ordered = enough[np.argsort(-shared[enough], kind="stable")].tolist()
    here: list[RelatedChannel] = []
    elsewhere: list[RelatedChannel] = []
    for one in ordered:
        name, number = by.channels[one]
        group = here if name == layer else elsewhere
        if (name, number) != (layer, channel) and len(group) < SHOWN_RELATED:
            group.append(RelatedChannel(name, number, int(shared[one])))
    return here + elsewhere
