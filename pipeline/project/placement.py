"""Windows on maps: cut out of one another, put into one another, and cleared off the map."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Int64, Shaped
from torch import Tensor
from torch.nn import functional

from pipeline.network.geometry import AxisWindow, Windows

Cells = Int64[Tensor, "entry 2"]
"""(row, col) of units on their layer's map, on the CPU."""
Values = Shaped[Tensor, "entry _ _ _"]
"""Of each entry's window (entry, row, col, channel)."""


def placed(values: Values, have: Sequence[AxisWindow], want: Windows, cell: Cells) -> Values:
    """The values of one window as another window of the same map; 0 where the one has none."""
    both = list(zip(have, want, strict=True))
    if all(one.jump == other.jump for one, other in both):
        return _shifted(values, [one.start - other.start for one, other in both], want)
    offsets = [
        one.first(cell[:, axis]) - other.first(cell[:, axis])
        for axis, (one, other) in enumerate(both)
    ]
    return _gathered(values, offsets, want)


def _shifted(values: Values, offset: Sequence[int], want: Windows) -> Values:
    """All entries moved by one offset."""
    border: list[int] = []
    for axis in (1, 0):
        size = values.shape[1 + axis]
        border += [offset[axis], want[axis].size - size - offset[axis]]
    if not any(border):
        return values
    return functional.pad(values, (0, 0, *border))


def _gathered(values: Values, offsets: Sequence[Int64[Tensor, " entry"]], want: Windows) -> Values:
    """Each entry moved by an offset of its own."""
    device, index, inside = values.device, [], []
    for axis, offset in enumerate(offsets):
        own = torch.arange(want[axis].size) - offset[:, None]
        index.append(own.clamp(0, values.shape[1 + axis] - 1).to(device))
        inside.append(((own >= 0) & (own < values.shape[1 + axis])).to(device))
    entries = torch.arange(len(values), device=device)[:, None, None]
    moved = values[entries, index[0][:, :, None], index[1][:, None, :]]
    there = inside[0][:, :, None] & inside[1][:, None, :]
    return moved.masked_fill_(~there[..., None], 0)


def inside_map(window: Windows, cell: Cells) -> Bool[Tensor, "_ _ _ 1"] | None:
    """Which cells of each window lie on the map, to be broadcast; None where all of them do."""
    row_wise, col_wise = (axis.inside(cell[:, at]) for at, axis in enumerate(window))
    if row_wise is None:
        return None if col_wise is None else col_wise[:, None, :, None]
    if col_wise is None:
        return row_wise[:, :, None, None]
    return (row_wise[:, :, None] & col_wise[:, None, :])[..., None]
