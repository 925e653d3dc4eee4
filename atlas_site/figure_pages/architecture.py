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
class Shown:
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
        filters = {f"filters-{n}": filter_grid(len(figure.arrays[f"filters_{n}"])) for n in places}
        return filters | {f"second-{n}": _grid(figure, n) for n in places}

    def cover(self, figure: FigureData) -> str:
        """The second layer's projections, of this run."""
        return "second-0.webp"

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """Two files for each network."""
        for place in range(len(figure.facts["networks"])):
            tiles, grid = to_grey(figure.arrays[f"filters_{place}"]), _filter_grid(figure, place)
            yield f"filters-{place}.webp", webp(sheet(tiles, grid), lossless=True)
            (size, px), grid = _tile(figure, place), _grid(figure, place)
            tiles = projection_tiles(figure.arrays[f"projections_{place}"], px)
            yield f"second-{place}.webp", webp(sheet(tiles, grid), lossless=size.pixelated)


def _filter_grid(figure: FigureData, place: int) -> Grid:
    return filter_grid(len(figure.arrays[f"filters_{place}"]))


def _grid(figure: FigureData, place: int) -> Grid:
    return Grid(COLUMNS, -(-len(figure.arrays[f"projections_{place}"]) // COLUMNS))


def _tile(figure: FigureData, place: int) -> tuple[TileSize, int]:
    size = TileSize(max(figure.arrays[f"projections_{place}"].shape[1:3]))
    return size, min(LARGEST_PX, size.sprite)


def _shown(figure: FigureData, place: int) -> Shown:
    facts = figure.facts["networks"][place]
    filters, (size, px) = figure.arrays[f"filters_{place}"], _tile(figure, place)
    shares = facts["shares"]
    return Shown(
        facts["name"],
        facts,
        place,
        tuple(
            _filter_grid(figure, place).region(
                f"figures/architecture/filters-{place}.webp", n, max(filters.shape[1:3])
            )
            for n in range(len(filters))
        ),
        tuple(
            (
                channel,
                _grid(figure, place).region(f"figures/architecture/second-{place}.webp", n, px),
            )
            for n, channel in enumerate(facts["shown"])
        ),
        size.pixelated,
        (sum(shares[:3]), sum(shares[3:6]), sum(shares[6:])),
    )


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
