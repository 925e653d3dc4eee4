"""The page of Figure 6: filters, projections and the numbers of one or several networks."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from atlas_site.catalogue import Catalogue
from atlas_site.display import to_grey
from atlas_site.figure_pages.page import FigurePage
from atlas_site.figure_pages.plot import Plot, plot
from atlas_site.pictures import TileSize, projection_tiles, sheet, webp
from atlas_site.sprites import Grid, SpriteRegion, filter_grid
from pipeline.atlas import FigureData, Run

COLUMNS = 8
LARGEST_PX = 112
BIN = 0.05
"""Cycles per pixel in a bin of the radial shares."""


@dataclass(frozen=True)
class ShownRun:
    """A network: its facts and its pictures."""

    name: str
    facts: Mapping[str, Any]
    place: int
    filters: tuple[SpriteRegion, ...]
    projections: tuple[tuple[int, SpriteRegion], ...]
    """By channel of the second layer."""
    pixelated: bool
    bands: tuple[float, float, float]
    """Shares of low, middle and high frequencies in the filters."""


class ArchitecturePage(FigurePage):
    """Figure 6."""

    name = "architecture"
    number = "Figure 6"
    title = "What the first filters do to all that follows"
    lead = (
        "First-layer filters and second-layer projections: dead channels, filters that dominate, "
        "missing frequencies and the trace of the stride, as pictures and as numbers."
    )

    def context(self, catalogue: Catalogue, figure: FigureData) -> Mapping[str, object]:
        """The networks, the curves of their filters' frequencies, and whether there are rivals."""
        networks = [_shown(figure, place) for place in range(len(figure.facts["networks"]))]
        return {"networks": networks, "frequencies": _frequencies(figure)}

    def grids(self, figure: FigureData) -> Mapping[str, Grid]:
        """By network, the sheet of its filters and that of its projections."""
        places = range(len(figure.facts["networks"]))
        filters = {f"filters-{n}": _filter_grid(figure, n) for n in places}
        return filters | {f"second-{n}": _grid(figure, n) for n in places if _second(figure, n)}

    def cover(self, figure: FigureData) -> str:
        """The second layer's projections, of this run, or its filters where there are none."""
        return "second-0.webp" if _second(figure, 0) else "filters-0.webp"

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """Two files for each network; one where nothing is shown of its second layer."""
        for place in range(len(figure.facts["networks"])):
            tiles, grid = to_grey(figure.arrays[f"filters_{place}"]), _filter_grid(figure, place)
            yield f"filters-{place}.webp", webp(sheet(tiles, grid), lossless=True)
            if _second(figure, place):
                (size, px), grid = _tile(figure, place), _grid(figure, place)
                tiles = projection_tiles(figure.arrays[f"projections_{place}"], px)
                yield f"second-{place}.webp", webp(sheet(tiles, grid), lossless=size.pixelated)


def _second(figure: FigureData, place: int) -> bool:
    """Whether there are projections of a network's second layer."""
    return f"projections_{place}" in figure.arrays


def _filter_grid(figure: FigureData, place: int) -> Grid:
    return filter_grid(len(figure.arrays[f"filters_{place}"]))


def _grid(figure: FigureData, place: int) -> Grid:
    return Grid(COLUMNS, -(-len(figure.arrays[f"projections_{place}"]) // COLUMNS))


def _tile(figure: FigureData, place: int) -> tuple[TileSize, int]:
    size = TileSize(max(figure.arrays[f"projections_{place}"].shape[1:3]))
    return size, min(LARGEST_PX, size.sprite)


def _shown(figure: FigureData, place: int) -> ShownRun:
    facts, filters = figure.facts["networks"][place], figure.arrays[f"filters_{place}"]
    shares, side, grid = facts["shares"], max(filters.shape[1:3]), _filter_grid(figure, place)
    sheet_of = f"figures/architecture/filters-{place}.webp"
    return ShownRun(
        facts["name"],
        facts,
        place,
        tuple(grid.region(sheet_of, n, side) for n in range(len(filters))),
        tuple(_projections(figure, place)),
        _second(figure, place) and _tile(figure, place)[0].pixelated,
        (sum(shares[:3]), sum(shares[3:6]), sum(shares[6:])),
    )


def _projections(figure: FigureData, place: int) -> Iterator[tuple[int, SpriteRegion]]:
    if _second(figure, place):
        (_, px), grid = _tile(figure, place), _grid(figure, place)
        sheet_of = f"figures/architecture/second-{place}.webp"
        for n, channel in enumerate(figure.facts["networks"][place]["shown"]):
            yield channel, grid.region(sheet_of, n, px)


def _frequencies(figure: FigureData) -> Plot:
    """The curves of all networks, and that of white noise."""
    white = figure.facts["white_shares"]
    middles = [BIN * (n + 0.5) for n in range(len(white))]
    curves = {one["name"]: one["shares"] for one in figure.facts["networks"]}
    return plot(
        "Energy of the first filters by frequency",
        middles,
        "cycles per pixel",
        {**curves, "white noise": white},
    )
