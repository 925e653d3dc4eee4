"""Where units are in the image: the centres of their fields, not bounded by the image."""

import numpy as np
from jaxtyping import Float64, Int32

from pipeline.network.geometry import seed_of, windows
from pipeline.network.graph import Graph
from pipeline.network.ops import Pair


def unit_steps(graph: Graph, layer: str) -> Pair:
    """Pixels between the centres of neighbouring units, along rows and columns.

    0 along an axis where all units see the same, as in a fully connected layer.
    """
    rows, cols = windows(graph, seed_of(graph, layer), bounded=False)[0]
    return rows.jump, cols.jump


def unit_centres(
    graph: Graph, layer: str, cells: Int32[np.ndarray, "*entry 2"]
) -> Float64[np.ndarray, "*entry 2"]:
    """The centre (row, col) of the field of units at some cells of their layer, in input pixels.

    The field is the one that the unit would have in an image without end. Outside the image, the
    centre is that of the image's nearest pixel.
    """
    axes = windows(graph, seed_of(graph, layer), bounded=False)[0]
    jump, first, size, pixels = (
        np.array([getattr(axis, name) for axis in axes])
        for name in ("jump", "start", "size", "cells")
    )
    centres: Float64[np.ndarray, "*entry 2"] = cells * jump + first + size / 2
    return centres.clip(0.5, pixels - 0.5)
