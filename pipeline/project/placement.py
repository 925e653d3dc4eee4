"""Windows on maps: cut out of one another, put into one another, and cleared off the map."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, Shaped
from torch import Tensor
from torch.nn import functional

from pipeline.network.geometry import AxisWindow, Windows
from pipeline.network.window import Pair

Values = Shaped[Tensor, "entry _ _ _"]
"""Of each entry's window (entry, row, col, channel)."""


class Cells:
    """Where the units of a batch are on their layer's map, and how their windows lie on maps.

    What is found out is kept, since many of a network's maps have the same windows, and batches
    are small: a few operations on their cells would take as long as the arithmetic on their maps.
    """

    def __init__(self, at: Int64[Tensor, "entry 2"]) -> None:
        self.at = at
        """(row, col), on the CPU."""
        self._ends: tuple[tuple[int, int], ...] | None = None
        self._inside: dict[Windows, Bool[Tensor, "_ _ _ 1"] | None] = {}
        self._outside: dict[Windows, tuple[Int64[Tensor, " outside"], ...] | None] = {}

    def __getitem__(self, entries: slice | Int64[np.ndarray, " some"]) -> "Cells":
        """The cells of some of the units."""
        return Cells(self.at[entries])

    def along(self, axis: int) -> Int64[Tensor, " entry"]:
        """The rows (0) or columns (1)."""
        return self.at[:, axis]

    def inside(self, window: Windows) -> Bool[Tensor, "_ _ _ 1"] | None:
        """Which cells of each window lie on the map, to be broadcast; None where all of them do."""
        if window not in self._inside:
            self._inside[window] = self._mask(window)
        return self._inside[window]

    def outside(self, window: Windows) -> tuple[Int64[Tensor, " outside"], ...] | None:
        """The entry, row and column of each cell off the map; None where there is none."""
        if window not in self._outside:
            inside, (rows, cols) = self.inside(window), window
            self._outside[window] = (
                None
                if inside is None
                else (~inside[..., 0]).expand(-1, rows.size, cols.size).nonzero(as_tuple=True)
            )
        return self._outside[window]

    def _mask(self, window: Windows) -> Bool[Tensor, "_ _ _ 1"] | None:
        rows, cols = (self._on_axis(axis, along) for axis, along in enumerate(window))
        if rows is None:
            return None if cols is None else cols[:, None, :, None]
        if cols is None:
            return rows[:, :, None, None]
        return (rows[:, :, None] & cols[:, None, :])[..., None]

    def _on_axis(self, axis: int, window: AxisWindow) -> Bool[Tensor, "entry cell"] | None:
        if self._ends is None:
            least, most = self.at.aminmax(dim=0)
            self._ends = tuple(zip(least.tolist(), most.tolist(), strict=True))
        first, last = (end * window.jump + window.start for end in self._ends[axis])
        if first >= 0 and last + window.size <= window.cells:
            return None
        # In NumPy, whose operations on so few numbers take a third of torch's.
        start = self.at.numpy()[:, axis] * window.jump + window.start
        cells = start[:, None] + np.arange(window.size)
        return torch.from_numpy((cells >= 0) & (cells < window.cells))


def rectangle(
    maps: Shaped[Tensor, "*of map_row map_col"], row: int, col: int, size: Pair
) -> Shaped[Tensor, "*of row col"]:
    """A rectangle out of maps; 0 where it reaches outside, else a view."""
    rows, cols = maps.shape[-2:]
    if 0 <= row <= rows - size[0] and 0 <= col <= cols - size[1]:
        return maps[..., row : row + size[0], col : col + size[1]]
    found = maps.new_zeros(*maps.shape[:-2], *size)
    top, left = max(0, row), max(0, col)
    part = maps[..., top : max(0, row + size[0]), left : max(0, col + size[1])]
    bottom, right = top - row + part.shape[-2], left - col + part.shape[-1]
    found[..., top - row : bottom, left - col : right] = part
    return found


def on_windows(
    shares: Sequence[Float[Tensor, " _"]], window: Windows, cell: Cells
) -> tuple[Float[Tensor, "entry row"], Float[Tensor, "entry col"]]:
    """Numbers by row and by column of a map, as each window has them; off the map the edge's."""
    rows, cols = (
        share[along.cells_of(cell.along(axis)).clamp(0, along.cells - 1).to(share.device)]
        for axis, (along, share) in enumerate(zip(window, shares, strict=True))
    )
    return rows, cols


def placed(values: Values, have: Sequence[AxisWindow], want: Windows, cell: Cells) -> Values:
    """The values of one window as another window of the same map; 0 where the one has none."""
    both = list(zip(have, want, strict=True))
    if all(one.jump == other.jump for one, other in both):
        return _shifted(values, [one.start - other.start for one, other in both], want)
    offsets = [
        one.first(cell.along(axis)) - other.first(cell.along(axis))
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
