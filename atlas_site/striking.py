"""Striking channels: the most selective that differ from each other."""

from collections.abc import Callable, Sequence
from itertools import zip_longest

from atlas_site.layers import Channel, Layer

Distinct = Callable[[Channel, Sequence[Channel]], bool]


def striking(channels: Sequence[Channel], count: int) -> list[Channel]:
    """Up to `count` channels by selectivity, of equal ones the lower number first.

    A channel is passed over for one whose strongest images and most frequent class are all new,
    and only where there are too few of those, for one whose images are new. Channels with fewer
    entries than the fullest are left out.
    """
    fullest = max((channel.entries for channel in channels), default=0)
    ranked = sorted(
        (c for c in channels if c.entries == fullest > 0), key=lambda c: (-c.selectivity, c.number)
    )
    chosen: list[Channel] = []
    rules: list[Distinct] = [_new_class, _new_images, lambda channel, others: True]
    for distinct in rules:
        for channel in ranked:
            if len(chosen) == count:
                return chosen
            if channel not in chosen and distinct(channel, chosen):
                chosen.append(channel)
    return chosen


def _new_images(channel: Channel, others: Sequence[Channel]) -> bool:
    return not any(set(channel.images) & set(other.images) for other in others)


def _new_class(channel: Channel, others: Sequence[Channel]) -> bool:
    known = {other.favourite for other in others}
    return channel.favourite not in known and _new_images(channel, others)


HANDFUL = 6
HANDFULS = 4


def handfuls(layers: Sequence[Layer]) -> list[list[Channel]]:
    """Handfuls of striking channels from several layers, the deepest first.

    Layers whose tiles are a few large pixels are left out where there are others; of more than a
    handful of layers every so many are taken.
    """
    candidates = [layer for layer in layers if not layer.tile.pixelated] or list(layers)
    step = -(-len(candidates) // HANDFUL)
    from_layers = [
        striking(layer.channels, HANDFUL * HANDFULS) for layer in candidates[::-1][::step]
    ]
    in_turn = [c for round_ in zip_longest(*from_layers) for c in round_ if c is not None]
    shown = in_turn[: HANDFUL * HANDFULS]
    return [shown[first : first + HANDFUL] for first in range(0, len(shown), HANDFUL)]
