"""The switches of a whole image, and what a unit's windows see of them."""

from collections.abc import Collection, Mapping, Sequence

import torch
from jaxtyping import Int64, Shaped
from torch import Tensor

from pipeline.network.geometry import Windows
from pipeline.network.window import Pair
from pipeline.project.backward import Switches

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
    return torch.stack([_slice(values, top, left, size) for values, top, left in parts])


def _slice(
    values: Shaped[Tensor, "map_row map_col channel"], row: int, col: int, size: Pair
) -> Shaped[Tensor, "row col channel"]:
    """A rectangle out of a map; 0 where it reaches outside."""
    if 0 <= row <= values.shape[0] - size[0] and 0 <= col <= values.shape[1] - size[1]:
        return values[row : row + size[0], col : col + size[1]]
    found = values.new_zeros(*size, values.shape[2])
    top, left = max(0, row), max(0, col)
    part = values[top : row + size[0], left : col + size[1]]
    found[top - row : top - row + part.shape[0], left - col : left - col + part.shape[1]] = part
    return found
