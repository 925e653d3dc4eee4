"""The page of Figure 4: projections by channel and epoch, and a slider over the epochs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.figure_pages.page import FigurePage
from atlas_site.layer_keys import layer_keys
from atlas_site.pictures import TileSize, projection_tiles, sheet, webp
from atlas_site.script import rounded_rows
from atlas_site.sprites import Grid, SpriteRegion
from pipeline.atlas import FigureData, Run

KIND = "evolved"
LARGEST_PX = 112


@dataclass(frozen=True)
class EpochPicture:
    """A channel after an epoch."""

    region: SpriteRegion
    path: str
    """Of the winning image; empty where no image excites the channel."""
    changed: bool


@dataclass(frozen=True)
class ChannelRow:
    """A channel over the epochs."""

    channel: int
    href: str
    cells: tuple[EpochPicture, ...]
    settled: str
    """From when on the winner stayed."""


@dataclass(frozen=True)
class LayerRows:
    """The followed channels of a layer."""

    name: str
    key: str
    pixelated: bool
    rows: tuple[ChannelRow, ...]
    median: float | None
    """Of the epochs from which on the winners stayed."""
    last: float | None
    """Share of channels whose winner changed at the last epoch."""


class EvolutionPage(FigurePage):
    """Figure 4."""

    name = "evolution"
    number = "Figure 4"
    title = "How features form during training"
    lead = (
        "A few channels of every layer after each epoch that was kept: the training image that "
        "excites them most, projected to pixels, and when that image changed for the last time."
    )

    def context(self, catalogue: Catalogue, figure: FigureData) -> Mapping[str, object]:
        """The rows by layer, the epochs and the choices."""
        links = {layer.name: layer.href for layer in catalogue.layers}
        return {
            "epochs": [epoch_name(epoch) for epoch in figure.facts["epochs"]],
            "histories": [
                _layer_rows(figure, place, links) for place in range(len(figure.facts["layers"]))
            ],
            "training_images": figure.facts["training_images"],
            "all_training_images": len(catalogue.atlas.manifest.split("train")),
            "kind": KIND,
        }

    def data(self, atlas: Run, figure: FigureData) -> Mapping[str, object]:
        """The winners' paths and activations."""
        images = figure.facts["images"]
        return {
            "epochs": [epoch_name(epoch) for epoch in figure.facts["epochs"]],
            "layers": [
                {
                    "activation": rounded_rows(np.array(one["activation"])),
                    "changed": one["changed"],
                    "image": one["image"],
                }
                for one in figure.facts["layers"]
            ],
            "images": {row: image["path"] for row, image in images.items()},
        }

    def grids(self, figure: FigureData) -> Mapping[str, Grid]:
        """All layers' sheets are of one shape: a row for each channel, a column for each epoch."""
        return {KIND: _grid(figure)}

    def cover(self, figure: FigureData) -> str:
        """The last layer's."""
        return f"{list(_keys(figure).values())[-1]}.webp"

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """A file for each layer."""
        grid, keys = _grid(figure), _keys(figure)
        for one in figure.facts["layers"]:
            projections = figure.arrays[f"projection_{one['layer']}"]
            size, px = _tile(figure, one["layer"])
            tiles = projection_tiles(projections.reshape(-1, *projections.shape[2:]), px)
            yield f"{keys[one['layer']]}.webp", webp(sheet(tiles, grid), lossless=size.pixelated)


def epoch_name(epoch: int) -> str:
    """An epoch as a heading."""
    return f"epoch {epoch}" if epoch else "start"


def _grid(figure: FigureData) -> Grid:
    most = max(len(one["channels"]) for one in figure.facts["layers"])
    return Grid(len(figure.facts["epochs"]), most)


def _keys(figure: FigureData) -> dict[str, str]:
    return layer_keys([one["layer"] for one in figure.facts["layers"]])


def _tile(figure: FigureData, layer: str) -> tuple[TileSize, int]:
    size = TileSize(max(figure.arrays[f"projection_{layer}"].shape[2:4]))
    return size, min(LARGEST_PX, size.sprite)


def _layer_rows(figure: FigureData, place: int, links: Mapping[str, str]) -> LayerRows:
    one = figure.facts["layers"][place]
    layer, grid = one["layer"], _grid(figure)
    key = _keys(figure)[layer]
    size, px = _tile(figure, layer)
    rows = []
    for at, channel in enumerate(one["channels"]):
        first = at * grid.columns
        regions = [
            grid.region(f"figures/evolution/{key}.webp", first + epoch, px)
            for epoch in range(grid.columns)
        ]
        cells = _cells(figure, one, at, regions)
        settled = one["settled"][at]
        stayed = "no image in the end" if settled is None else f"from {epoch_name(settled)} on"
        rows.append(ChannelRow(channel, f"{links[layer]}#{channel}", cells, stayed))
    return LayerRows(
        layer,
        key,
        size.pixelated,
        tuple(rows),
        figure.summary.get(f"{layer}_median_settled_epoch"),
        figure.summary.get(f"{layer}_changed_at_the_last"),
    )


def _cells(
    figure: FigureData, one: Mapping[str, Any], at: int, regions: Sequence[SpriteRegion]
) -> tuple[EpochPicture, ...]:
    images = figure.facts["images"]
    return tuple(
        EpochPicture(region, images[str(image)]["path"] if image >= 0 else "", changed)
        for region, image, changed in zip(
            regions, one["image"][at], one["changed"][at], strict=True
        )
    )
