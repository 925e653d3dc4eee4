"""The page of Figure 5: curves over translation, scale and rotation, and the pictures there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.figure_pages.page import FigurePage
from atlas_site.figure_pages.plot import STYLES, Plot, plot
from atlas_site.pictures import sheet, webp
from atlas_site.script import rounded_rows
from atlas_site.sprites import Grid, SpriteRegion
from pipeline.atlas import FigureData, Run

TITLES = {
    "translation": ("Vertical translation", "pixels down"),
    "scale": ("Scale", "factor"),
    "rotation": ("Rotation", "degrees anticlockwise"),
}


@dataclass(frozen=True)
class Follow:
    """An image of the figure, beside its curves."""

    name: str
    style: int
    region: SpriteRegion
    """Its untransformed picture."""


@dataclass(frozen=True)
class TransformPlots:
    """A transformation: its three plots."""

    kind: str
    title: str
    axis: str
    unit: str
    start: int
    """The amount that leaves the image as it is."""
    amounts: tuple[float, ...]
    images: tuple[Follow, ...]
    plots: tuple[Plot, ...]


class InvariancePage(FigurePage):
    """Figure 5."""

    name = "invariance"
    number = "Figure 5"
    title = "What survives when the image moves"
    lead = (
        "A few images are moved, enlarged and turned: how far their features go in the first and "
        "in the last hidden layer, and what becomes of the class."
    )

    def context(self, catalogue: Catalogue, figure: FigureData) -> Mapping[str, object]:
        """The groups of plots, the choices and the numbers."""
        return {
            "groups": [_group(figure, place) for place in range(len(figure.facts["transforms"]))],
            "images": figure.facts["images"],
            "layers_shown": figure.facts["layers"],
            "chosen": catalogue.atlas.params.figures.invariance,
            "means": [_means(figure, one["kind"]) for one in figure.facts["transforms"]],
        }

    def data(self, atlas: Run, figure: FigureData) -> Mapping[str, object]:
        """The numbers under the pointer."""
        return {
            one["kind"]: {
                "amounts": one["amounts"],
                "unit": one["unit"],
                "first": rounded_rows(figure.arrays[f"distance_{one['kind']}"][:, 0]),
                "last": rounded_rows(figure.arrays[f"distance_{one['kind']}"][:, 1]),
                "probability": rounded_rows(figure.arrays[f"probability_{one['kind']}"]),
            }
            for one in figure.facts["transforms"]
        }

    def grids(self, figure: FigureData) -> Mapping[str, Grid]:
        """A row of pictures for each transformation."""
        return {f"moved-{one['kind']}": _grid(one) for one in figure.facts["transforms"]}

    def cover(self, figure: FigureData) -> str:
        """The first image under the last transformation."""
        return f"{figure.facts['transforms'][-1]['kind']}-0.webp"

    def pictures(self, atlas: Run, figure: FigureData) -> Iterator[tuple[str, bytes]]:
        """A file for each image and transformation."""
        for one in figure.facts["transforms"]:
            for place, tiles in enumerate(figure.arrays[f"picture_{one['kind']}"]):
                yield f"{one['kind']}-{place}.webp", webp(sheet(tiles, _grid(one)))


def _grid(transform: Mapping[str, Any]) -> Grid:
    return Grid(len(transform["amounts"]), 1)


def _start(transform: Mapping[str, Any]) -> int:
    """The position of the untransformed image among the amounts."""
    untouched = 1.0 if transform["kind"] == "scale" else 0.0
    return int(np.argmin(np.abs(np.array(transform["amounts"]) - untouched)))


def _group(figure: FigureData, place: int) -> TransformPlots:
    one = figure.facts["transforms"][place]
    kind, amounts = one["kind"], one["amounts"]
    names = _names(figure)
    distance, probability = figure.arrays[f"distance_{kind}"], figure.arrays[f"probability_{kind}"]
    layers, apart = figure.facts["layers"], figure.facts["between_images"]
    title, axis = TITLES[kind]

    def curves(values: np.ndarray) -> dict[str, Sequence[float]]:
        return dict(zip(names, values.astype(float).tolist(), strict=True))

    plots = [
        plot(
            f"Distance in {layers[which]}",
            amounts,
            axis,
            curves(distance[:, which]),
            ("other images", apart[which]),
        )
        for which in range(2)
    ]
    plots.append(plot("Probability of the class", amounts, axis, curves(probability), top=1.0))
    start, px = _start(one), figure.arrays[f"picture_{kind}"].shape[2]
    images = tuple(
        Follow(
            name, at % STYLES, _grid(one).region(f"figures/invariance/{kind}-{at}.webp", start, px)
        )
        for at, name in enumerate(names)
    )
    return TransformPlots(
        kind, title, axis, one["unit"], start, tuple(amounts), images, tuple(plots)
    )


def _names(figure: FigureData) -> list[str]:
    """A name for each curve: the class followed, with the row where two are of one class."""
    followed = [image["followed"] for image in figure.facts["images"]]
    return [
        name if followed.count(name) == 1 else f"{name} ({image['row']})"
        for name, image in zip(followed, figure.facts["images"], strict=True)
    ]


@dataclass(frozen=True)
class Means:
    """Means over images and amounts of one transformation."""

    title: str
    first: float
    last: float
    probability: float


def _means(figure: FigureData, kind: str) -> Means:
    found = figure.summary
    return Means(
        TITLES[kind][0],
        found[f"{kind}_distance_first_layer"],
        found[f"{kind}_distance_last_layer"],
        found[f"{kind}_probability"],
    )
