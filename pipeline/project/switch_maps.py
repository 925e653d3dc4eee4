"""The switches of a whole image, and what a unit's windows see of them."""

from collections.abc import Collection, Mapping, Sequence

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from pipeline.network.geometry import Windows
from pipeline.project.backward import Switches
from pipeline.project.placement import rectangle

SwitchMaps = Mapping[int, Shaped[Tensor, "_ _ _"]]
"""`Switches` of one whole image, by node (row, col, channel)."""


def cut_windows(
    below: Mapping[int, Windows],
    maps: Sequence[SwitchMaps],
    cell: Int64[Tensor, "entry 2"],
    nodes: Collection[int],
) -> Switches:
    """The switches of some nodes in each unit's windows, which are `below` its layer.

    Each is cut out of the maps of the image that the unit belongs to.
    """
    return {at: _cut(below[at], [m[at] for m in maps], cell) for at in nodes}


def _cut(
    window: Windows, maps: Sequence[Shaped[Tensor, "_ _ _"]], cell: Int64[Tensor, "entry 2"]
) -> Shaped[Tensor, "entry _ _ _"]:
    rows, cols = window
    if maps[0].shape[:2] == (1, 1) or (rows.whole and cols.whole):
        return torch.stack(list(maps))
    tops, lefts = rows.first(cell[:, 0]).tolist(), cols.first(cell[:, 1]).tolist()
    size = rows.size, cols.size
    parts = zip(maps, tops, lefts, strict=True)
    cut = [rectangle(values.movedim(2, 0), top, left, size) for values, top, left in parts]
    return torch.stack([values.movedim(0, 2) for values in cut])
