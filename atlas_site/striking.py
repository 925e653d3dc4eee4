"""Striking channels: the most selective that differ from each other."""

from collections.abc import Callable, Sequence

from atlas_site.channels import Channel, strong
from atlas_site.layers import LayerView

Distinct = Callable[[Channel, Sequence[Channel]], bool]


def striking(channels: Sequence[Channel], count: int) -> list[Channel]:
    """Up to `count` channels of a layer by selectivity, of equal ones the lower number first.

    A channel is passed over for one whose strongest images and most frequent class are all new,
    and only where there are too few of those, for one whose images are new. Channels with fewer
    entries than the fullest are left out, and so are weak ones.
    """
    channels = strong(channels)
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


def handfuls(layers: Sequence[LayerView]) -> list[list[Channel]]:
    """Handfuls of striking channels from several layers, the deepest first.

    Layers whose tiles are a few large pixels are left out where there are others; of more than a
    handful of layers every so many are taken.
    """
    candidates = [layer for layer in layers if not layer.tile.pixelated] or list(layers)
    step = -(-len(candidates) // HANDFUL)
    waiting = [striking(one.channels, HANDFUL * HANDFULS) for one in candidates[::-1][::step]]
    found = [handful(waiting) for _ in range(HANDFULS)]
    return [channels for channels in found if channels]


def handful(waiting: Sequence[list[Channel]]) -> list[Channel]:
    """Take up to six channels out of the lists of several layers, one of each in turn.

    A list gives its first channel whose most frequent class the handful lacks, or else its first.
    """
    chosen: list[Channel] = []
    while any(waiting) and len(chosen) < HANDFUL:
        for channels in [one for one in waiting if one][: HANDFUL - len(chosen)]:
            known = {channel.favourite for channel in chosen}
            new = (channel for channel in channels if channel.favourite not in known)
            chosen.append(next(new, channels[0]))
            channels.remove(chosen[-1])
    return chosen
