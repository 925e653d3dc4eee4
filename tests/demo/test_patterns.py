import numpy as np
import pytest

from demo.patterns import _walls, bricks, maze, spiral, stars
from tests.demo.drawing import check_subject, check_texture


def test_a_wall_fills_the_plane_and_a_seed_decides_it():
    check_texture(bricks)


@pytest.mark.parametrize("draw", [maze, spiral, stars])
def test_a_subject_covers_the_middle_and_a_seed_decides_it(draw):
    check_subject(draw, set())


@pytest.mark.parametrize("cells", [2, 5, 9])
def test_there_is_one_way_between_any_two_cells(cells):
    """Of a spanning tree of n cells, n − 1 of the 2 k (k − 1) inner edges are passages."""
    walls = _walls(np.random.default_rng(cells), cells)
    inner = walls[4:]
    assert len(inner) == len(set(inner)) == 2 * cells * (cells - 1) - (cells**2 - 1)
    shut = {frozenset(_between(*wall)) for wall in inner}
    seen, ahead = {(0, 0)}, [(0, 0)]
    while ahead:
        x, y = ahead.pop()
        for way in ((x + 1, y), (x - 1, y), (x, y + 1), (x, y - 1)):
            if min(way) >= 0 and max(way) < cells and way not in seen:
                if frozenset(((x, y), way)) in shut:
                    continue
                seen.add(way)
                ahead.append(way)
    assert len(seen) == cells**2


def _between(start, stop):
    """The two cells that a wall stands between."""
    (x, y), down = start, stop[0] == start[0]
    return ((x - 1, y), (x, y)) if down else ((x, y - 1), (x, y))
