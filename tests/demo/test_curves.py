import math

import numpy as np
import pytest

from demo.curves import ellipse, moved, petal, rounded, shrunk, star, taper


def test_an_ellipse_has_its_axes_and_its_centre():
    points = ellipse(3.0, -1.0, 2.0, 0.5, 400)
    assert (((points - (3, -1)) / (2, 0.5)) ** 2).sum(axis=1) == pytest.approx(1)
    turned = ellipse(0.0, 0.0, 2.0, 0.5, 400, math.pi / 2)
    assert np.abs(turned).max(axis=0) == pytest.approx((0.5, 2))


def test_a_smooth_curve_runs_through_its_points():
    corners = [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 3.0)]
    closed = rounded(corners, 10)
    assert len(closed) == 40
    assert closed[::10].tolist() == [list(corner) for corner in corners]
    opened = rounded(corners, 10, closed=False)
    assert len(opened) == 31
    assert opened[::10].tolist() == [list(corner) for corner in corners]


def test_a_star_has_its_corners_on_two_circles_the_first_above():
    points = star(5, 0.4)
    assert np.hypot(*points.T) == pytest.approx([1, 0.4] * 5)
    assert points[0] == pytest.approx((0, -1))


def test_a_petal_goes_from_the_origin_to_its_length_and_is_symmetrical():
    points = petal(2.0, 0.6, 1.0, 0.0, 25)
    assert points[0] == pytest.approx((0, 0))
    assert points[:, 0].max() == pytest.approx(2)
    assert points[:, 1].max() == pytest.approx(0.3)
    assert points[:25] == pytest.approx(points[25:][::-1] * (1, -1))
    assert petal(2.0, 0.6, 1.0, 0.25).max(axis=0)[0] < 2


def test_a_stroke_is_as_wide_as_it_is_said_at_either_end():
    outline = taper(np.array([[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]]), 0.4, 0.2)
    assert outline[0] - outline[-1] == pytest.approx((0, 0.4), abs=1e-6)
    assert outline[2] - outline[3] == pytest.approx((0, 0.2), abs=1e-6)


def test_points_are_turned_then_scaled_then_shifted():
    assert moved(np.array([[1.0, 0.0]]), 5.0, 6.0, 2.0, math.pi / 2) == pytest.approx(
        np.array([[5.0, 8.0]])
    )
    square = np.array([[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]])
    assert shrunk(square, 0.5).tolist() == [[0.5, 0.5], [1.5, 0.5], [1.5, 1.5], [0.5, 1.5]]
