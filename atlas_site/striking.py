"""Striking channels: the most selective that differ from each other."""

from collections.abc import Callable, Sequence

from atlas_site.catalogue import Channel

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
