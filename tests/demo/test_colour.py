import math

import numpy as np
import pytest

from demo.colour import any_colour, darker, flat, lighter, mix, near, oklch, palette, table


def test_a_perceptual_colour_is_the_screen_s_as_ottosson_s_table_has_it():
    assert oklch(1.0, 0.0, 0.0) == pytest.approx((1, 1, 1), abs=1e-3)
    assert oklch(0.0, 0.0, 0.0) == (0, 0, 0)
    # sRGB's own red: lightness 0.628, chroma 0.2577, hue 29.23 degrees.
    assert oklch(0.62796, 0.25768, 29.234 / 360) == pytest.approx((1, 0, 0), abs=2e-3)
    grey = oklch(0.5, 0.0, 0.3)
    assert max(grey) - min(grey) < 1e-3
    linear = 0.5**3
    assert grey[0] == pytest.approx(1.055 * linear ** (1 / 2.4) - 0.055, abs=1e-3)


def test_a_mixture_is_between_its_colours_and_its_share_is_clipped():
    first, second = (0.0, 0.2, 0.4), (1.0, 0.4, 0.0)
    assert mix(first, second, 0.25) == pytest.approx((0.25, 0.25, 0.3))
    assert mix(first, second, -1.0) == first
    assert mix(first, second, 2.0) == second
    assert sum(darker(first, 0.5)) < sum(first) < sum(lighter(first, 0.5))


def test_drawn_colours_can_be_shown_and_are_drawn_by_the_generator():
    for seed in range(20):
        rng = np.random.default_rng(seed)
        for colour in (any_colour(rng), near(rng, (0.99, 0.5, 0.01), 0.9), *palette(rng, 5)):
            assert all(0 <= part <= 1 for part in colour)
    assert palette(np.random.default_rng(1), 3) == palette(np.random.default_rng(1), 3)
    assert palette(np.random.default_rng(1), 3) != palette(np.random.default_rng(2), 3)


def test_neighbours_of_a_palette_differ_in_lightness():
    for seed in range(20):
        first, second = palette(np.random.default_rng(seed), 2)
        assert math.dist(first, second) > 0.1


def test_colours_become_arrays():
    assert table([(0.0, 0.5, 1.0)] * 2).shape == (2, 3)
    assert flat((0.0, 0.5, 1.0)).tolist() == [[[0, 0.5, 1]]]
