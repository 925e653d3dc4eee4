import pytest

from pipeline.network.window import Window, square


@pytest.mark.parametrize(
    ("window", "size", "cells"),
    [
        (square(3, 2), 7, 3),  # 0-2, 2-4, 4-6: the last window ends with the map
        (square(3, 2), 8, 4),  # one more, two of whose cells are beyond the map
        (square(3, 2, 1), 8, 5),
        (square(7, 2), 225, 110),  # the first layer of ZFNet
    ],
)
def test_the_last_window_may_reach_past_the_map(window, size, cells):
    assert window.completed((size, size)) == (cells, cells)


def test_padding_after_the_map_follows_from_the_number_of_cells():
    window = Window((3, 3), (2, 2), (1, 0))
    assert window.after((7, 8), (4, 3)) == (1, -1)
    assert Window((3, 2), dilation=(4, 5)).extent == (9, 6)
    assert Window((3, 2), dilation=(4, 5)).after((9, 7), (1, 2)) == (0, 0)


@pytest.mark.parametrize(
    ("window", "size", "cells"),
    [
        (square(2, 2), (8, 8), (4, 4)),
        (square(2, 2), (8, 9), (4, 4)),  # the last column is dropped
        (square(2, 2), (9, 8), (4, 4)),
        (square(2, 2), (9, 9), (5, 5)),  # the last window is completed
        (square(3, 2, 1), (8, 8), (4, 4)),
        (square(3, 2), (8, 8), (3, 3)),
        (square(2, 3), (8, 8), (3, 3)),
        (Window((2, 2), dilation=(2, 1)), (8, 8), (6, 7)),
    ],
    ids=str,
)
def test_windows_cover_a_map_if_each_of_its_cells_is_in_one(window, size, cells):
    read = [
        {
            at * window.stride[axis] + within * window.dilation[axis] - window.before[axis]
            for at in range(cells[axis])
            for within in range(window.kernel[axis])
        }
        for axis in (0, 1)
    ]
    wanted = all(set(range(size[axis])) <= read[axis] for axis in (0, 1))
    # Dilated windows may overlap so that all is read; the peak's window is then hard to tell.
    assert window.covers(size, cells) == (wanted and window.dilation == (1, 1))
