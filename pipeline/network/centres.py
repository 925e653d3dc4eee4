"""The places of units in the image: the centres of their fields, not bounded by the image."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int32

from pipeline.network.geometry import Windows, seed_of, windows
from pipeline.network.graph import Graph

Place = tuple[float, float]
"""Along rows, along columns, in input pixels."""


@dataclass(frozen=True)
class Squares:
    """The squares of a layer's cells on the image: each around its unit, as far apart as units are.

    Along an axis where all units see the same, as in a fully connected layer, they share the image.
    """

    first: Place
    """Where that of cell (0, 0) begins; maybe outside the image."""
    step: Place
    """How large they are."""


def unit_squares(graph: Graph, layer: str) -> Squares:
    """The squares of a layer's cells."""
    cells = graph.layer(layer).size
    first, step = [], []
    for axis, count in zip(_endless(graph, layer), cells, strict=True):
        step.append(float(axis.jump or axis.cells / count))
        first.append(axis.start + (axis.size - step[-1]) / 2 if axis.jump else 0.0)
    return Squares((first[0], first[1]), (step[0], step[1]))


def unit_centres(
    graph: Graph, layer: str, cells: Int32[np.ndarray, "*entry 2"]
) -> Float64[np.ndarray, "*entry 2"]:
    """The centre (row, col) of the field of units at some cells of their layer, in input pixels.

    The field is the one that the unit would have in an image without end. Outside the image, the
    centre is that of the image's nearest pixel.
    """
    axes = _endless(graph, layer)
    jump, first, size, pixels = (
        np.array([getattr(axis, name) for axis in axes])
        for name in ("jump", "start", "size", "cells")
    )
    centres: Float64[np.ndarray, "*entry 2"] = cells * jump + first + size / 2
    return centres.clip(0.5, pixels - 0.5)


def _endless(graph: Graph, layer: str) -> Windows:
    return windows(graph, seed_of(graph, layer), bounded=False)[0]
