import numpy as np
import pytest

from atlas_site.contrast import by_largest, contrast
from atlas_site.display import to_grey


def test_the_spread_is_that_of_the_levels_where_the_signal_is():
    """Of 9 × 9 pixels the middle 3 × 3 hold the signal: four of +1, four of −1, one of 0."""
    signal = np.zeros((9, 9, 3), np.float32)
    signal[3:6, 3:6] = np.array([[1, -1, 1], [-1, 0, -1], [1, -1, 1]])[..., None]
    levels = np.full((9, 9, 3), 128, np.uint8)
    levels[signal == 1], levels[signal == -1] = 168, 88
    seen = contrast(signal, levels)
    assert seen.deviation == pytest.approx(40 * (8 / 9) ** 0.5)
    assert seen.clipped == 0


def test_pixels_at_either_end_are_clipped():
    signal = np.ones((2, 2, 3), np.float32)
    levels = np.full((2, 2, 3), 128, np.uint8)
    levels[0, 0], levels[1, 1] = 255, 1
    assert contrast(signal, levels).clipped == 0.5


def test_one_hot_pixel_leaves_the_rest_grey_by_the_largest_value_alone():
    signal = np.where(np.indices((9, 9)).sum(axis=0) % 2, 1.0, -1.0)[..., None].repeat(3, 2)
    signal = signal.astype(np.float32)
    assert by_largest(signal)[0, :2].tolist() == [[1, 1, 1], [255, 255, 255]]
    signal[4, 4] = 100
    assert sorted(set(by_largest(signal).ravel().tolist())) == [127, 129, 255]
    assert contrast(signal, to_grey(signal)).deviation > 80
