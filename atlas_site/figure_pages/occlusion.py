"""The page of Figure 7: maps of what a grey square takes away, laid over the image."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.display import to_grey
from atlas_site.figure_pages.heat import CLASS_COLOURS, categories, heat, overlaid
from atlas_site.figure_pages.page import FigurePage
from atlas_site.figure_pages.plot import PlotTable
from atlas_site.pictures import sheet, webp
from atlas_site.script import rounded_rows, significant
from atlas_site.sprites import Grid, SpriteRegion
from pipeline.atlas import FigureData, Run

GRID = Grid(5, 1)
"""The image, the channel's sums, its projection, the probability, the classes."""
QUALITY = 92


@dataclass(frozen=True)
class Panel:
    """A picture of a subject."""

    letter: str
    caption: str
    region: SpriteRegion
    legend: str
    """`heat` where a ramp from 0 to `top` explains it."""
    top: str
    table: PlotTable | None
    """The numbers behind it."""


@dataclass(frozen=True)
class Swatch:
    """A class in the map of classes."""

    colour: int
    name: str
    share: float


@dataclass(frozen=True)
class OccludedImage:
    """An image and its maps."""

    name: str
    path: str
    predicted: str
    probability: float
    least: float
    """The lowest probability, and the top left corner of the square there."""
    least_at: tuple[int, int]
    kept: float
    """The share of the places at which the most probable class stays."""
    agreement: float | None
    channel: int
    channel_href: str
    """Its channel in the atlas; empty where the layer is not in it."""
    panels: tuple[Panel, ...]
    swatches: tuple[Swatch, ...]


class OcclusionPage(FigurePage):
    """Figure 7."""

    name = "occlusion"
    number = "Figure 7"
    title = "What a grey square takes away"
    lead = (
        "A square hides one place of an image after the other: how the strongest channel of the "
        "last layer with a map, the probability of the class and the most probable class follow."
    )

    def context(self, catalogue: Catalogue, figure: FigureData) -> Mapping[str, object]:
        """The subjects with their panels."""
        return {
            "subjects": [_subject(catalogue, figure, at) for at in range(_count(figure))],
            "layer_shown": figure.facts["layer"],
            "method": figure.facts["method"],
            "chosen": catalogue.atlas.params.figures.occlusion,
            "summary": figure.summary,
        }

    def data(self, atlas: Run, figure: FigureData) -> Mapping[str, object]:
        """The numbers under the pointer."""
        facts = figure.facts
        return {
            "side": facts["side"],
            "size": list(figure.arrays["image"].shape[1:3]),
            "rows": facts["corner_rows"],
            "cols": facts["corner_cols"],
            "layer": facts["layer"],
            "images": [
                {
                    "followed": image["followed"],
                    "channel": image["channel"],
                    "activation": significant(image["activation"]),
                    "probability": significant(image["probability"]),
                    "activations": rounded_rows(figure.arrays["activation"][at]),
                    "probabilities": rounded_rows(figure.arrays["probability"][at]),
                    "classes": [
                        [atlas.card.classes[number] for number in row]
                        for row in figure.arrays["predicted"][at].tolist()
                    ],
                }
                for at, image in enumerate(facts["images"])
            ],
        }

    def grids(self, figure: FigureData) -> Mapping[str, Grid]:
        """The five pictures of an image in a row."""
        return {"occluded": GRID}

    def cover(self, figure: FigureData) -> str:
        """The first image's."""
        return "0.webp"

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """A file for each image."""
        for at in range(_count(figure)):
            yield f"{at}.webp", webp(sheet(_tiles(figure, at), GRID), quality=QUALITY)


def _count(figure: FigureData) -> int:
    return len(figure.facts["images"])


def _tiles(figure: FigureData, at: int) -> list[np.ndarray]:
    facts, arrays = figure.facts, figure.arrays
    image = arrays["image"][at]
    places = facts["corner_rows"], facts["corner_cols"], facts["side"]
    ranks = {number: rank for rank, number in enumerate(_ranked(figure, at))}
    numbers = np.vectorize(ranks.__getitem__, otypes=[int])(arrays["predicted"][at])
    return [
        image,
        overlaid(image, heat(arrays["activation"][at], _top(figure, at)), *places),
        to_grey(arrays["projection"][at]),
        overlaid(image, heat(arrays["probability"][at], 1.0), *places),
        overlaid(image, categories(numbers), *places),
    ]


def _top(figure: FigureData, at: int) -> float:
    """The upper end of the ramp of sums: the largest, the whole image's among them."""
    unchanged = float(figure.facts["images"][at]["activation"])
    return max(unchanged, float(figure.arrays["activation"][at].max()))


def _ranked(figure: FigureData, at: int) -> list[int]:
    """Classes that are the most probable somewhere, the most frequent first."""
    counts = Counter(figure.arrays["predicted"][at].ravel().tolist())
    return sorted(counts, key=lambda number: (-counts[number], number))


def _subject(catalogue: Catalogue, figure: FigureData, at: int) -> OccludedImage:
    facts, fact = figure.facts, figure.facts["images"][at]
    probability, predicted = figure.arrays["probability"][at], figure.arrays["predicted"][at]
    row, col = np.unravel_index(int(probability.argmin()), probability.shape)
    classes = catalogue.atlas.card.classes
    keys = {layer.name: layer.key for layer in catalogue.layers}
    key = keys.get(facts["layer"], "")
    return OccludedImage(
        name=fact["label"] or fact["followed"],
        path=fact["path"],
        predicted=fact["predicted"],
        probability=fact["probability"],
        least=float(probability.min()),
        least_at=(facts["corner_rows"][row], facts["corner_cols"][col]),
        kept=float((predicted == classes.index(fact["predicted"])).mean()),
        agreement=fact["agreement"],
        channel=fact["channel"],
        channel_href=f"{key}.html#{fact['channel']}" if key else "",
        panels=_panels(catalogue, figure, at),
        swatches=_swatches(catalogue, figure, at),
    )


def _panels(catalogue: Catalogue, figure: FigureData, at: int) -> tuple[Panel, ...]:
    facts, fact, arrays = figure.facts, figure.facts["images"][at], figure.arrays
    px = arrays["image"].shape[1]
    channel, followed = f"{facts['layer']} {fact['channel']}", fact["followed"]
    classes = catalogue.atlas.card.classes
    names = np.array(classes, dtype=object)[arrays["predicted"][at]]

    def panel(
        place: int, caption: str, legend: str = "", top: str = "", numbers: PlotTable | None = None
    ) -> Panel:
        region = GRID.region(f"figures/occlusion/{at}.webp", place, px)
        return Panel("abcde"[place], caption, region, legend, top, numbers)

    return (
        panel(0, "the image"),
        panel(
            1,
            f"sum of the map of {channel}",
            "heat",
            f"{_top(figure, at):.3g}",
            _table(figure, [[f"{v:.3g}" for v in row] for row in arrays["activation"][at]]),
        ),
        panel(2, f"projection of its peak without the square ({facts['method']})"),
        panel(
            3,
            f"probability of {followed}",
            "heat",
            "1",
            _table(figure, [[f"{v:.3f}" for v in row] for row in arrays["probability"][at]]),
        ),
        panel(4, "most probable class", numbers=_table(figure, names.tolist())),
    )


def _table(figure: FigureData, values: list[list[str]]) -> PlotTable:
    """A row for each row of places: the top edge of the square, then the values."""
    head = ("top \\ left", *map(str, figure.facts["corner_cols"]))
    rows = zip(figure.facts["corner_rows"], values, strict=True)
    return PlotTable(head, tuple((str(top), *row) for top, row in rows))


def _swatches(catalogue: Catalogue, figure: FigureData, at: int) -> tuple[Swatch, ...]:
    predicted, classes = figure.arrays["predicted"][at], catalogue.atlas.card.classes
    ranked, last = _ranked(figure, at), len(CLASS_COLOURS) - 1
    shares = [float((predicted == number).mean()) for number in ranked]
    named = [Swatch(n, classes[number], shares[n]) for n, number in enumerate(ranked[:last])]
    if len(ranked) > last:
        named.append(Swatch(last, "others", sum(shares[last:])))
    return tuple(named)
