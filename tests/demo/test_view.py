import math

import numpy as np
import pytest

from demo.view import View, coverage, pose
from tests.demo.drawing import HEIGHT, UNIT, WIDTH, straight


def test_points_fall_on_the_picture_and_pixels_on_the_plane():
    for seed in range(5):
        view = pose(np.random.default_rng(seed), (50, 70), 0.4, 1.0)
        x, y, _ = view.grid()
        points = np.stack([x.ravel(), y.ravel()], axis=1).astype(float)
        col, row = np.meshgrid(np.arange(70) + 0.5, np.arange(50) + 0.5)
        pixels = np.stack([col.ravel(), row.ravel()], axis=1)
        assert view.project(points) == pytest.approx(pixels, abs=1e-2)


def test_a_straight_view_has_its_units_everywhere():
    view = straight()
    assert view.unit_px == pytest.approx(UNIT)
    assert view.grid()[2] == pytest.approx(np.full((HEIGHT, WIDTH), UNIT), rel=1e-4)
    assert view.project(np.array([[1.0, -1.0]])).tolist() == [[WIDTH / 2 + UNIT, HEIGHT / 2 - UNIT]]


def test_the_pixels_per_unit_are_those_of_a_small_step():
    lean = np.array([[1, 0, 0], [0, 1, 0], [0.15, 0.1, 1.0]])
    view = View(HEIGHT, WIDTH, straight().matrix @ lean)
    x, y, unit_px = view.grid()
    for row, col in ((10, 12), (40, 60)):
        here = np.array([[x[row, col], y[row, col]]], dtype=float)
        steps = [view.project(here + step) - view.project(here) for step in ((1e-4, 0), (0, 1e-4))]
        area = abs(np.linalg.det(np.concatenate(steps))) / 1e-8
        assert unit_px[row, col] == pytest.approx(math.sqrt(area), rel=1e-2)


def test_a_plane_laid_on_a_plane_is_smaller_and_turned():
    placed = straight().placed(1.0, 0.0, 0.5, math.pi / 2)
    assert placed.unit_px == pytest.approx(UNIT / 2)
    assert placed.project(np.array([[0.0, 0.0], [1.0, 0.0]])) == pytest.approx(
        np.array([[WIDTH / 2 + UNIT, HEIGHT / 2], [WIDTH / 2 + UNIT, HEIGHT / 2 + UNIT / 2]])
    )


def test_the_origin_is_near_the_middle_and_a_seed_decides_where():
    for seed in range(10):
        view = pose(np.random.default_rng(seed), (100, 140), 0.4, 0.3)
        ((col, row),) = view.project(np.zeros((1, 2))).tolist()
        assert abs(col - 70) <= 7
        assert abs(row - 50) <= 7
    matrices = [pose(np.random.default_rng(s), (100, 140), 0.4, 0.3).matrix for s in (1, 1, 2)]
    assert np.array_equal(matrices[0], matrices[1])
    assert not np.array_equal(matrices[0], matrices[2])


def test_an_edge_is_one_pixel_wide():
    assert coverage(np.array([[-1, -0.5, 0, 0.25, 0.5, 3]], np.float32)).tolist() == [
        [0, 0, 0.5, 0.75, 1, 1]
    ]
