"""The catalogue of the pages: every channel, images held by one or taken for wrong, classes."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from atlas_site.confusion import Confusion, confusion
from atlas_site.layers import LayerView, gather_layers
from atlas_site.names import Names, read_names
from atlas_site.pictures import grid_side
from atlas_site.related import ChannelsByImage, channels_by_image
from atlas_site.sprites import SpriteRegion, image_px, image_region
from pipeline.atlas import Prediction, Run

SHOWN_OF_A_MISTAKE = 9
"""Images of one class taken for one other that are shown even where no channel holds them."""
MOST_ADDED = 1000
"""Of such images in all, those of the most frequent mistakes."""


@dataclass(frozen=True)
class ShownImage:
    """A validation image that some channel holds among its strongest, or that is wrong."""

    row: int
    path: str
    label: str
    prediction: Prediction | None
    """None where `evaluate` has not run, or the network scores no classes."""
    region: SpriteRegion


@dataclass(frozen=True)
class Catalogue:
    """Everything that pages are written from, gathered before the first is written."""

    atlas: Run
    layers: tuple[LayerView, ...]
    images: tuple[ShownImage, ...]
    classes: tuple[str, ...]
    """Names in the order of the class scores, then labels that the network does not know; none of
    images without a class."""
    image_px: int
    """The side of a whole image as shown."""
    names: Names
    """What names.csv says of channels."""

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
        """The position of an image row among the images shown."""
        return {image.row: place for place, image in enumerate(self.images)}

    @cached_property
    def class_number(self) -> dict[str, int]:
        """A class's place among `classes`; the scripts' −1 stands for none."""
        return {name: number for number, name in enumerate(self.classes)}

    @cached_property
    def confusion(self) -> Confusion | None:
        """Which classes are taken for which; None where `evaluate` has not run."""
        return confusion(self.atlas, self.classes)

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

    def has_filters(self, layer: LayerView) -> bool:
        """Whether a layer's filters are pictures: it is the first and convolves the pixels."""
        graph = self.atlas.graph
        return (layer.name,) == graph.layers[:1] == graph.conv_layers[:1]


def channel_count(atlas: Run) -> int:
    """Channels of all scanned layers, before anything else is read."""
    return sum(atlas.graph.layer(layer).channels for layer in atlas.layers)


def gather(atlas: Run) -> Catalogue:
    """Read all that the pages say, but no picture."""
    images = _shown_images(atlas)
    names = list(atlas.card.classes)
    names += sorted({row.label for row in atlas.images} - {*names, ""}, key=str.encode)
    return Catalogue(
        atlas=atlas,
        layers=gather_layers(atlas),
        images=images,
        classes=tuple(names),
        image_px=image_px(len(images), atlas.card.crop),
        names=read_names(atlas),
    )


def _shown_images(atlas: Run) -> tuple[ShownImage, ...]:
    held = {row for layer in atlas.layers for row in np.unique(atlas.scan(layer).image).tolist()}
    predictions = atlas.reports.predictions()
    labels = {
        row: (label, one.label)
        for row, one in predictions.items()
        if (label := atlas.images[row].label)
    }
    rows = sorted(row for row in held | set(mistaken(labels, held)) if row >= 0)
    px = image_px(len(rows), atlas.card.crop)
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


def mistaken(labels: Mapping[int, tuple[str, str]], held: Collection[int]) -> list[int]:
    """Images to show although no channel holds them: of each mistake as many as are still to show.

    `labels` has the class and the prediction of each image row; the lowest rows come first.
    """
    rows: dict[tuple[str, str], list[int]] = {}
    for row, (label, predicted) in sorted(labels.items()):
        if label != predicted:
            rows.setdefault((label, predicted), []).append(row)
    added: list[int] = []
    for _, group in sorted(rows.items(), key=lambda one: -len(one[1])):
        others = [row for row in group if row not in held]
        added += others[: max(0, SHOWN_OF_A_MISTAKE - len(group) + len(others))]
    return added[:MOST_ADDED]
