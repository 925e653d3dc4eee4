import math

import numpy as np
import pytest

from demo.layer import PaintLayer, opaque
from demo.light import Sun, camera, lighting, lit, shadowed, sun

ABOVE = Sun(x=0.0, y=-1.0, strength=0.5, gleam=0.0, reach_px=6.0, tint=(1.0, 1.0, 1.0))


def slope(per_row):
    """A grey layer whose relief rises by so much from row to row."""
    height = np.arange(20, dtype=np.float32)[:, None] * np.float32(per_row) + np.zeros((20, 20))
    return opaque(np.full((20, 20, 3), 0.5, np.float32), height.astype(np.float32))


def test_a_slope_towards_the_light_is_brighter_and_one_away_from_it_darker():
    bright, level, dark = (lit(slope(rise), ABOVE).colour for rise in (1, 0, -1))
    # sin 45° times the strength of a half
    expected = 0.5 * (1 + 0.5 / math.sqrt(2))
    assert bright == pytest.approx(np.full_like(bright, expected), rel=1e-5)
    assert (level == 0.5).all()
    assert dark == pytest.approx(np.full_like(dark, 1 - expected), rel=1e-5)


def test_a_highlight_is_only_where_there_is_something():
    shining = Sun(0.0, -1.0, 0.5, 0.25, 6.0, (1.0, 1.0, 1.0))
    plain, gleaming = lit(slope(1), ABOVE).colour, lit(slope(1), shining).colour
    assert (gleaming > plain).all()
    solid = slope(1)
    nothing = PaintLayer(solid.colour, np.zeros_like(solid.alpha), solid.height)
    assert np.array_equal(lit(nothing, shining).colour, plain)


def test_a_shadow_falls_away_from_the_light():
    alpha = np.zeros((60, 60), np.float32)
    alpha[20:40, 20:40] = 1
    layer = PaintLayer(np.zeros((60, 60, 3), np.float32), alpha, alpha)
    ground = np.ones((60, 60, 3), np.float32)
    dark = 1 - shadowed(ground, layer, ABOVE, 0.5)[..., 0]
    assert dark.max() == pytest.approx(0.5, abs=0.03)
    middle = (dark * np.arange(60)[:, None]).sum() / dark.sum()
    assert middle == pytest.approx(29.5 + 6, abs=0.5)


def test_a_light_has_a_direction_and_a_seed_decides_it():
    lights = [sun(np.random.default_rng(seed)) for seed in range(20)]
    assert all(math.hypot(one.x, one.y) == pytest.approx(1) for one in lights)
    assert sum(one.y < 0 for one in lights) > 10  # it mostly comes from above
    assert sun(np.random.default_rng(3)) == lights[3]


def test_the_camera_gives_a_picture_of_the_same_size_and_a_seed_decides_its_noise():
    picture = np.random.default_rng(0).random((40, 50, 3), dtype=np.float32)
    shown = [camera(np.random.default_rng(seed), picture) for seed in (1, 1, 2)]
    assert shown[0].size == (50, 40)
    assert shown[0].tobytes() == shown[1].tobytes() != shown[2].tobytes()
    even = lighting(np.random.default_rng(0), np.ones((40, 50, 3), np.float32), ABOVE)
    assert even.shape == (40, 50, 3)
    assert even.min() > 0.2
