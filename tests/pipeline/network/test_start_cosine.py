import numpy as np
import pytest

from pipeline.network.start_cosine import start_cosine, tenths


def filters(*weights: list[float]) -> np.ndarray:
    """Filters of one colour and one row."""
    return np.array(weights, np.float32)[:, None, None, :]


def test_a_filter_that_is_its_start_scaled_or_reversed_has_cosine_one():
    start = filters([3.0, 4.0], [3.0, 4.0], [3.0, 4.0])
    now = filters([3.0, 4.0], [0.3, 0.4], [-6.0, -8.0])
    assert start_cosine(now, start).tolist() == pytest.approx([1.0, 1.0, 1.0])


def test_the_cosine_is_that_of_the_angle_and_zero_at_a_right_angle_or_without_weights():
    start = filters([1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [0.0, 0.0])
    now = filters([3.0, 4.0], [0.0, 2.0], [0.0, 0.0], [1.0, 1.0])
    assert start_cosine(now, start).tolist() == pytest.approx([0.6, 0.0, 0.0, 0.0])


def test_filters_are_counted_by_tenth_of_the_cosine_and_one_is_in_the_last():
    cosines = np.array([0.0, 0.05, 0.15, 0.55, 0.58, 0.95, 1.0], np.float32)
    assert tenths(cosines) == (2, 1, 0, 0, 0, 2, 0, 0, 0, 2)
