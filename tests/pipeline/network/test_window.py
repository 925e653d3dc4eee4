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
    ("window", "covers"),
    [
        (square(2, 2), True),
        (square(2, 3), False),
        (Window((2, 2), dilation=(2, 1)), False),
    ],
)
def test_windows_cover_a_map_unless_a_stride_or_a_dilation_leaves_cells_out(window, covers):
    assert window.covers == covers
