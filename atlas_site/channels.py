"""Channels as the pages show them."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from atlas_site.charts import spark_path
from atlas_site.pictures import grid_side, tile_size
from atlas_site.selectivity import ClassSpread, class_spread
from atlas_site.sprites import SpriteRegion, channel_regions, sprite_path
from pipeline.atlas import Run

STILL_START = 0.9
"""The |cosine| with its start from which a filter is marked as still its start."""
WEAK = 0.5
"""The share of its layer's median peak below which a channel is weak: all but dead, it fires for
little, and looks selective by chance."""


@dataclass(frozen=True)
class Channel:
    """A channel as its layer's page shows it."""

    layer: str
    key: str
    """Its layer's name in file names and addresses."""
    number: int
    peak: float
    """The strongest activation; 0 for a dead channel."""
    fired: int
    """Validation images with a peak above 0."""
    images: tuple[int, ...]
    """Rows of its strongest images; fewer than `scan.top` where too few made it fire."""
    selectivity: float
    effective_classes: float
    favourite: str
    """The class most frequent among its strongest images; of equal ones the stronger. Empty where
    none of them has a class."""
    spark: str
    """Outline of its histogram of peaks."""
    start_cosine: float | None
    """How much of its filter is still its start; None where that is not known."""
    patch_similarity: float | None
    """How alike its patches are; None with fewer than two, or where the store does not say."""
    projections: SpriteRegion
    crops: SpriteRegion

    @property
    def still_start(self) -> bool:
        """Whether its filter is its start, but for a scale and noise."""
        return self.start_cosine is not None and self.start_cosine >= STILL_START

    @property
    def entries(self) -> int:
        """How many images are among its strongest."""
        return len(self.images)

    @property
    def dead(self) -> bool:
        """Whether no validation image makes it fire."""
        return not self.images

    @property
    def sprite(self) -> str:
        """Its large pictures."""
        return sprite_path(self.key, self.number)

    @property
    def href(self) -> str:
        """Its view."""
        return f"{self.key}.html#{self.number}"


def strong(channels: Sequence[Channel]) -> list[Channel]:
    """The channels of a layer that are neither dead nor weak."""
    alive = [channel for channel in channels if not channel.dead]
    least = WEAK * statistics.median(c.peak for c in alive) if alive else 0.0
    return [channel for channel in alive if channel.peak >= least]


def gather_channels(atlas: Run, layer: str, key: str) -> tuple[Channel, ...]:
    """All channels of a layer, in order of number."""
    spread = class_spread(atlas.scan(layer).mean_peak_by_class)
    cosines, alike = atlas.weights.start_cosine(layer), atlas.pictures.patch_similarity(layer)
    return tuple(
        _channel(atlas, layer, key, n, spread, _known(cosines, n), _known(alike, n))
        for n in range(len(spread.selectivity))
    )


def _channel(
    atlas: Run,
    layer: str,
    key: str,
    number: int,
    spread: ClassSpread,
    start_cosine: float | None,
    patch_similarity: float | None,
) -> Channel:
    record = atlas.scan(layer)
    rows = [row for row in record.image[number].tolist() if row >= 0]
    labels = Counter(label for row in rows if (label := atlas.images[row].label))
    size = tile_size(atlas, layer)
    block_px = size.thumb * grid_side(record.image.shape[1])
    projections, crops = channel_regions(key, number, block_px)
    return Channel(
        layer=layer,
        key=key,
        number=number,
        peak=float(record.activation[number, 0]) if rows else 0.0,
        fired=int(record.fired[number]),
        images=tuple(rows),
        selectivity=float(spread.selectivity[number]),
        effective_classes=float(spread.effective_classes[number]),
        favourite=labels.most_common(1)[0][0] if labels else "",
        spark=spark_path(record.histogram[number].tolist()),
        start_cosine=start_cosine,
        patch_similarity=patch_similarity,
        projections=projections,
        crops=crops,
    )


def _known(values: Float32[np.ndarray, " channel"] | None, channel: int) -> float | None:
    """A channel's value; None where there is none."""
    return None if values is None or np.isnan(values[channel]) else float(values[channel])
