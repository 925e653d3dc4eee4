"""What the pages are made of: every channel, every image that one of them holds, every class."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from atlas_site.charts import spark_path
from atlas_site.layer_keys import layer_keys
from atlas_site.pictures import TileSize, grid_side
from atlas_site.related import ChannelsByImage, channels_by_image
from atlas_site.selectivity import ClassSpread, class_spread
from atlas_site.sprites import (
    COVER_GRID,
    SpriteRegion,
    channel_regions,
    image_px,
    image_region,
    sprite_path,
)
from pipeline.atlas import Prediction, Run
from pipeline.errors import AtlasError


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
    """The class most frequent among its strongest images; of equal ones the stronger."""
    spark: str
    """Outline of its histogram of peaks."""
    projections: SpriteRegion
    crops: SpriteRegion

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


@dataclass(frozen=True)
class Layer:
    """A scanned layer."""

    name: str
    key: str
    """The name in file names and addresses."""
    map_size: int
    """Side of its map, in cells."""
    field: int
    """Side of its receptive field, in input pixels."""
    jump: int
    """Pixels between the fields of neighbouring cells."""
    channels: tuple[Channel, ...]
    covers: tuple[int, ...]
    """The most selective channels, in order of number: the layer's face on the first page."""

    @property
    def href(self) -> str:
        """Its page."""
        return f"{self.key}.html"

    @property
    def tile(self) -> TileSize:
        """How large its tiles are."""
        return TileSize(self.field)

    @property
    def dead(self) -> int:
        """How many channels are dead."""
        return sum(channel.dead for channel in self.channels)


@dataclass(frozen=True)
class ShownImage:
    """A validation image that some channel holds among its strongest."""

    row: int
    path: str
    label: str
    prediction: Prediction | None
    """None where `evaluate` has not run."""
    region: SpriteRegion


@dataclass(frozen=True)
class Catalogue:
    """Everything that pages are written from, gathered before the first is written."""

    atlas: Run
    layers: tuple[Layer, ...]
    images: tuple[ShownImage, ...]
    classes: tuple[str, ...]
    """Names in the order of the class scores, then labels that the network does not know."""
    image_px: int
    """The side of a whole image as shown."""

    @property
    def top(self) -> int:
        """Entries per channel."""
        return int(self.atlas.scan(self.layers[0].name).image.shape[1])

    @property
    def side(self) -> int:
        """Tiles along the side of a block."""
        return grid_side(self.top)

    @property
    def input_px(self) -> int:
        """The side of the network's input."""
        return self.atlas.card.crop

    @property
    def channel_count(self) -> int:
        """Channels of all layers."""
        return sum(len(layer.channels) for layer in self.layers)

    @cached_property
    def position(self) -> dict[int, int]:
        """Where an image row stands among the images shown."""
        return {image.row: place for place, image in enumerate(self.images)}

    @cached_property
    def class_number(self) -> dict[str, int]:
        """A class's place among `classes`."""
        return {name: number for number, name in enumerate(self.classes)}

    @cached_property
    def class_sizes(self) -> tuple[int, ...]:
        """Validation images of each of `classes`."""
        count = Counter(row.label for row in self.atlas.images)
        return tuple(count[name] for name in self.classes)

    @cached_property
    def channels_by_image(self) -> ChannelsByImage:
        """Which channels hold an image row."""
        return channels_by_image(
            {layer.name: self.atlas.scan(layer.name).image for layer in self.layers}
        )

    def has_filters(self, layer: Layer) -> bool:
        """Whether a layer's filters are pictures: it is the first and convolves the pixels."""
        return layer.name == self.atlas.chain.conv_layers[0] == self.atlas.chain.layers[0]


def channel_count(atlas: Run) -> int:
    """Channels of all scanned layers, before anything else is read."""
    return sum(atlas.chain.channels(layer) for layer in atlas.layers)


def gather(atlas: Run) -> Catalogue:
    """Read all that the pages say, but no picture."""
    images = _shown_images(atlas)
    keys = layer_keys(atlas.layers)
    names = list(atlas.card.classes)
    names += sorted({row.label for row in atlas.images} - set(names), key=str.encode)
    return Catalogue(
        atlas=atlas,
        layers=tuple(_layer(atlas, name, keys[name]) for name in atlas.layers),
        images=images,
        classes=tuple(names),
        image_px=image_px(len(images), atlas.card.crop),
    )


def gather_layer(atlas: Run, name: str) -> Layer:
    """One layer alone. Raises AtlasError for a layer that was not scanned."""
    if name not in atlas.layers:
        raise AtlasError(
            f"The run has no scanned layer {name!r}.",
            fix=f"Choose one of {', '.join(atlas.layers)}.",
        )
    return _layer(atlas, name, layer_keys(atlas.layers)[name])


def _shown_images(atlas: Run) -> tuple[ShownImage, ...]:
    held = {row for layer in atlas.layers for row in np.unique(atlas.scan(layer).image).tolist()}
    rows = sorted(row for row in held if row >= 0)
    px = image_px(len(rows), atlas.card.crop)
    predictions = atlas.predictions()
    return tuple(
        ShownImage(
            row=row,
            path=atlas.images[row].path,
            label=atlas.images[row].label,
            prediction=predictions.get(row),
            region=image_region(position, px),
        )
        for position, row in enumerate(rows)
    )


def _layer(atlas: Run, name: str, key: str) -> Layer:
    field = atlas.field(name)
    spread = class_spread(atlas.scan(name).mean_peak_by_class)
    count = len(spread.selectivity)
    channels = tuple(_channel(atlas, name, key, number, spread) for number in range(count))
    ranked = sorted(
        (c for c in channels if c.entries == atlas.scan(name).image.shape[1]),
        key=lambda c: (-c.selectivity, c.number),
    )
    return Layer(
        name=name,
        key=key,
        map_size=atlas.chain.map_size(name),
        field=field.size,
        jump=field.jump,
        channels=channels,
        covers=tuple(sorted(c.number for c in ranked[: COVER_GRID.places])),
    )


def _channel(atlas: Run, layer: str, key: str, number: int, spread: ClassSpread) -> Channel:
    record = atlas.scan(layer)
    rows = [row for row in record.image[number].tolist() if row >= 0]
    labels = Counter(atlas.images[row].label for row in rows)
    size = TileSize(atlas.field(layer).size)
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
        projections=projections,
        crops=crops,
    )
