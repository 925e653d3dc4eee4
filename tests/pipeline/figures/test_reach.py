import pytest
import torch
from torch.nn import functional

from pipeline.figures.reach import above, axis_reach, hull
from pipeline.network.window import Window


@pytest.mark.parametrize("kernel", [1, 2, 3, 7])
@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("padding", [0, 1])
@pytest.mark.parametrize("size", [1, 3, 6])
def test_outputs_that_see_a_changed_cell_are_within_reach(kernel, stride, padding, size):
    cells = 23
    window = Window((kernel, 1), (stride, 1), (min(padding, kernel - 1), 0))
    weight = torch.ones(1, 1, kernel)
    for first in range(cells - size + 1):
        line = torch.zeros(1, 1, cells)
        line[..., first : first + size] = 1
        seen = functional.conv1d(line, weight, stride=stride, padding=window.before[0])[0, 0] > 0
        below = axis_reach(torch.tensor([first]), size, cells)
        reach = above(window, 0, below, len(seen))
        start = int(reach.first)
        assert start >= 0
        assert start + reach.size <= len(seen)
        assert not seen[:start].any()
        assert not seen[start + reach.size :].any()
        assert reach.size <= (size + kernel - 2) // stride + 1


def test_a_hull_holds_both_windows_of_every_place():
    one = axis_reach(torch.tensor([0, 9]), 4, 20)
    other = axis_reach(torch.tensor([2, 6]), 5, 20)
    both = hull(one, other)
    assert (both.first <= torch.minimum(one.first, other.first)).all()
    assert (both.first + both.size >= torch.tensor([7, 13])).all()
    assert both.size == 7


@pytest.mark.parametrize(
    ("places", "first", "size"),
    [
        ([0], [0], 2),
        ([0, 1], [0, 0], 3),
        ([9, 10], [8, 9], 3),
        ([19], [18], 2),
        ([0, 19], [0, 18], 2),
        ([0, 5, 19], [0, 4, 17], 3),
    ],
)
def test_what_windows_have_off_the_map_is_left_out(places, first, size):
    """One cell of twenty, seen by windows of three; those at an edge are seen by two."""
    window = Window((3, 1), (1, 1), (1, 0))
    reach = above(window, 0, axis_reach(torch.tensor(places), 1, 20), 20)
    assert (reach.first.tolist(), reach.size) == (first, size)


def test_what_no_window_reads_reaches_one_cell_all_the_same():
    window = Window((2, 1), (4, 1), (0, 0))
    reach = above(window, 0, axis_reach(torch.tensor([19]), 1, 20), 5)
    assert 0 <= int(reach.first) <= 4
    assert reach.size == 1
