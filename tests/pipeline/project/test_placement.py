import numpy as np
import torch

from pipeline.network.geometry import AxisWindow
from pipeline.project.placement import inside_map, placed

CELLS = torch.tensor([[0, 0], [2, 1]])


def drawn(window, cells=CELLS):
    """Windows that hold 100 · row + col of the map's cells, one channel."""
    rows, cols = (axis.cells_of(cells[:, at]) for at, axis in enumerate(window))
    return (100 * rows[:, :, None] + cols[:, None, :])[..., None].double()


def expected(have, want, cells=CELLS):
    """Cell by cell: the number of a cell where both windows have it, else 0."""
    made = np.zeros((len(cells), want[0].size, want[1].size))
    for entry, cell in enumerate(cells.tolist()):
        for i, j in np.ndindex(want[0].size, want[1].size):
            row = cell[0] * want[0].jump + want[0].start + i
            col = cell[1] * want[1].jump + want[1].start + j
            own = [
                0 <= at - (cell[axis] * have[axis].jump + have[axis].start) < have[axis].size
                for axis, at in enumerate((row, col))
            ]
            made[entry, i, j] = 100 * row + col if all(own) else 0
    return made


def test_a_window_of_the_same_jump_is_moved_and_padded_or_cut():
    have = AxisWindow(1, 2, 4, 20), AxisWindow(2, 3, 3, 20)
    for want in (
        (AxisWindow(0, 2, 7, 20), AxisWindow(1, 3, 6, 20)),
        (AxisWindow(2, 2, 2, 20), AxisWindow(3, 3, 1, 20)),
        have,
    ):
        assert np.array_equal(placed(drawn(have), have, want, CELLS)[..., 0], expected(have, want))


def test_a_window_of_another_jump_is_moved_for_each_entry_by_itself():
    have = AxisWindow(1, 2, 5, 20), AxisWindow(2, 3, 4, 20)
    whole = AxisWindow(0, 0, 20, 20), AxisWindow(0, 0, 20, 20)
    assert np.array_equal(placed(drawn(have), have, whole, CELLS)[..., 0], expected(have, whole))
    assert np.array_equal(placed(drawn(whole), whole, have, CELLS)[..., 0], expected(whole, have))


def test_cells_off_the_map_are_named_and_none_where_there_are_none():
    window = AxisWindow(-1, 2, 3, 4), AxisWindow(0, 1, 2, 3)
    found = inside_map(window, CELLS)
    rows = [[False, True, True], [True, False, False]]
    for col in range(3):
        assert found.expand(2, 3, 3, 1)[:, :, col, 0].tolist() == rows
    assert inside_map((AxisWindow(0, 1, 2, 9), AxisWindow(0, 1, 2, 9)), CELLS) is None
