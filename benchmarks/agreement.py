"""How far a device's results are from the processor's, in words."""

from collections.abc import Mapping

import numpy as np

from pipeline.scan.layer_statistics import LayerStatistics

EQUAL = 1e-3
"""Relative L2 error up to which two projections are the same picture."""

Statistics = Mapping[str, LayerStatistics]
"""By layer."""
Projections = Mapping[tuple[str, int, int], np.ndarray]
"""By (layer, channel, rank), in the network's own units."""


def statistics_beside(ours: Statistics, theirs: Statistics) -> str:
    """How many channels have the processor's images in its order, and how peaks differ."""
    same, placed, channels, worst = 0, 0, 0, 0.0
    for layer, statistics in ours.items():
        own = {name: one.values for name, one in statistics.result().items()}
        other = {name: one.values for name, one in theirs[layer].result().items()}
        equal = (own["image"] == other["image"]).all(axis=1)
        cells = (own["cell"] == other["cell"]).all(axis=(1, 2))
        same, placed = same + int(equal.sum()), placed + int((equal & cells).sum())
        channels += len(equal)
        apart = np.abs(own["activation"] - other["activation"]).max()
        worst = max(worst, float(apart / other["activation"].max()))
    return (
        f"the same nine in the same order for {same:,} of {channels:,} channels, in the same "
        f"cells for {placed:,}; peaks differ by at most {worst:.1g} of the layer's largest"
    )


def projections_beside(ours: Projections, theirs: Projections) -> str:
    """How many projections are the processor's pictures, and by how much they differ."""
    errors = np.array([error(ours[key], theirs[key]) for key in theirs])
    return (
        f"the same picture for {(errors <= EQUAL).sum():,} of {len(errors):,}; relative L2 "
        f"error {np.median(errors):.1g} in the median, {errors.max():.1g} at most"
    )


def error(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Relative L2 error; 0 where both are blank."""
    return float(np.linalg.norm(ours - theirs) / max(np.linalg.norm(theirs), 1e-30))
