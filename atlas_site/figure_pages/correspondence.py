"""The page of Table 1: Δ of parts against Δ of random places, and what was hidden."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from atlas_site.catalogue import Catalogue
from atlas_site.figure_pages.page import FigurePage
from atlas_site.pictures import sheet, webp
from atlas_site.sprites import Grid, SpriteRegion
from pipeline.atlas import FigureData, Run

PAPER = (
    ("right eye", 0.067, 0.069),
    ("left eye", 0.069, 0.068),
    ("nose", 0.079, 0.069),
    ("random", 0.107, 0.073),
)
"""Δ in layers 5 and 7 of five dogs."""
WIDTH, ROW = 300, 22
LONGEST = 16
"""Characters of a name beside a chart."""


@dataclass(frozen=True)
class Delta:
    """Δ of one row in one layer."""

    text: str
    pairs: int
    at: float
    """On the chart, in its coordinates; the ends of one deviation around it."""
    low: float
    high: float


@dataclass(frozen=True)
class MaskLine:
    """A row of the table."""

    part: str
    """Empty for random places."""
    deltas: tuple[Delta, ...]
    short: str
    """The same, cut to fit beside the chart."""
    y: float
    pictures: tuple[SpriteRegion, ...]


@dataclass(frozen=True)
class ClassBlock:
    """The rows of one class."""

    label: str
    images: tuple[str, ...]
    lines: tuple[MaskLine, ...]
    height: int


class CorrespondencePage(FigurePage):
    """Table 1."""

    name = "correspondence"
    number = "Table 1"
    title = "Do the same parts mean the same?"
    lead = (
        "The same part is hidden in several images of a class. If the network knows that it is the "
        "same part, the images’ features change alike: Δ, the share of features whose changes "
        "differ in sign, is smaller than for random places."
    )

    def context(self, catalogue: Catalogue, figure: FigureData) -> Mapping[str, object]:
        """The table by class, and the paper's."""
        return {
            "blocks": _blocks(figure),
            "layers_shown": figure.facts["layers"],
            "paper": PAPER,
            "chosen": catalogue.atlas.params.figures.correspondence,
            "wins": _wins(figure),
            "width": WIDTH,
            "top": _top(figure),
        }

    def grids(self, figure: FigureData) -> Mapping[str, Grid]:
        """A row of pictures for each part."""
        counts = {len(row["images"]) for row in figure.facts["rows"] if row["part"]}
        return {f"masked-{count}": Grid(count, 1) for count in sorted(counts)}

    def cover(self, figure: FigureData) -> str:
        """The images without their first part."""
        return f"{next(n for n, row in enumerate(figure.facts['rows']) if row['part'])}.webp"

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """A file for each part."""
        for number, row in enumerate(figure.facts["rows"]):
            if row["part"]:
                tiles = figure.arrays[f"picture_{number}"]
                yield f"{number}.webp", webp(sheet(tiles, Grid(len(tiles), 1)))


def _blocks(figure: FigureData) -> list[ClassBlock]:
    labels = dict.fromkeys(row["label"] for row in figure.facts["rows"])
    return [_block(figure, label, _top(figure)) for label in labels]


def _block(figure: FigureData, label: str, top: float) -> ClassBlock:
    own = [(n, row) for n, row in enumerate(figure.facts["rows"]) if row["label"] == label]
    lines = tuple(
        MaskLine(
            part=row["part"],
            deltas=tuple(_delta(one, top) for one in row["delta"]),
            short=_cut(row["part"] or "random places"),
            y=ROW * (place + 0.5),
            pictures=_pictures(figure, number, row),
        )
        for place, (number, row) in enumerate(own)
    )
    images = dict.fromkeys(path for _, row in own for path in row["images"])
    return ClassBlock(label, tuple(images), lines, ROW * len(lines))


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _top(figure: FigureData) -> float:
    """The end of the charts' axis: where the longest deviation ends."""
    deltas = [one for row in figure.facts["rows"] for one in row["delta"]]
    return max(one["mean"] + one["deviation"] for one in deltas) or 1.0


def _delta(one: Mapping[str, Any], top: float) -> Delta:
    mean, deviation = one["mean"], one["deviation"]

    def across(value: float) -> float:
        return round(WIDTH * max(0.0, value) / top, 1)

    return Delta(
        f"{mean:.3f} ± {deviation:.3f}",
        one["pairs"],
        across(mean),
        across(mean - deviation),
        across(mean + deviation),
    )


def _pictures(figure: FigureData, number: int, row: Mapping[str, Any]) -> tuple[SpriteRegion, ...]:
    if not row["part"]:
        return ()
    tiles = figure.arrays[f"picture_{number}"]
    grid, src = Grid(len(tiles), 1), f"figures/correspondence/{number}.webp"
    return tuple(grid.region(src, place, tiles.shape[1]) for place in range(len(tiles)))


def _wins(figure: FigureData) -> Sequence[tuple[str, int, int]]:
    """By layer, in how many rows of how many Δ of a part is below that of its random places."""
    rows = figure.facts["rows"]
    random = {row["label"]: row["delta"] for row in rows if not row["part"]}
    parts = [row for row in rows if row["part"]]
    return [
        (
            layer,
            sum(row["delta"][at]["mean"] < random[row["label"]][at]["mean"] for row in parts),
            len(parts),
        )
        for at, layer in enumerate(figure.facts["layers"])
    ]
