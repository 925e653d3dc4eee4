import numpy as np
import pytest
import torch

from pipeline.network.geometry import AxisWindow
from pipeline.project.placement import Cells, placed, rectangle
from tests.pipeline.project.oracle import under_box

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
        assert np.array_equal(
            placed(drawn(have), have, want, Cells(CELLS))[..., 0], expected(have, want)
        )


def test_a_window_of_another_jump_is_moved_for_each_entry_by_itself():
    have = AxisWindow(1, 2, 5, 20), AxisWindow(2, 3, 4, 20)
    whole = AxisWindow(0, 0, 20, 20), AxisWindow(0, 0, 20, 20)
    assert np.array_equal(
        placed(drawn(have), have, whole, Cells(CELLS))[..., 0], expected(have, whole)
    )
    assert np.array_equal(
        placed(drawn(whole), whole, have, Cells(CELLS))[..., 0], expected(whole, have)
    )


BORDER = AxisWindow(-1, 2, 3, 4), AxisWindow(0, 1, 2, 3)


def on_map(window, cells=CELLS):
    """Cell by cell: whether it lies on the map."""
    rows, cols = (axis.cells_of(cells[:, at]).tolist() for at, axis in enumerate(window))
    return [
        [
            [0 <= row < window[0].cells and 0 <= col < window[1].cells for col in own_cols]
            for row in own_rows
        ]
        for own_rows, own_cols in zip(rows, cols, strict=True)
    ]


@pytest.mark.parametrize(
    "window",
    [
        BORDER,
        BORDER[::-1],
        (AxisWindow(-1, 1, 3, 4), AxisWindow(-1, 2, 3, 4)),
        (AxisWindow(0, 0, 4, 4), AxisWindow(-1, 1, 3, 4)),
    ],
)
def test_cells_off_the_map_are_named(window):
    cells = Cells(CELLS)
    size = window[0].size, window[1].size
    for _ in range(2):  # found out, then remembered
        assert cells.inside(window).expand(2, *size, 1)[..., 0].tolist() == on_map(window)
        marked = np.ones((2, *size), bool)
        marked[tuple(index.numpy() for index in cells.outside(window))] = False
        assert marked.tolist() == on_map(window)


def test_where_all_cells_are_on_the_map_there_is_none_to_name():
    cells, window = Cells(CELLS), (AxisWindow(0, 1, 2, 9), AxisWindow(0, 1, 2, 9))
    assert cells.inside(window) is None
    assert cells.outside(window) is None


def test_some_units_have_cells_of_their_own():
    cells = Cells(CELLS)
    assert cells.inside(BORDER) is not None
    assert cells[1:].inside(BORDER)[:, :, 0, 0].tolist() == [[True, False, False]]
    assert cells[np.array([1])].along(0).tolist() == [2]


@pytest.mark.parametrize("top", [-3, 2, 6])
@pytest.mark.parametrize("left", [-9, 0, 5])
def test_a_rectangle_is_the_map_s_values_and_0_outside(top, left):
    image = torch.rand(1, 3, 7, 8, generator=torch.Generator().manual_seed(0))
    expected = under_box(image[0].permute(1, 2, 0), (top, left, top + 5, left + 4))
    assert torch.equal(rectangle(image, top, left, (5, 4))[0].permute(1, 2, 0), expected)
