import numpy as np

from pipeline.project.layer_maps import quantised


def test_levels_run_from_the_least_to_the_largest_value():
    maps = np.array([[[0.0, 1.0], [2.0, 4.0]], [[-1.0, -1.0], [0.0, 1.0]]], np.float32)
    levels, ends = quantised(maps)
    assert levels.tolist() == [[[0, 64], [128, 255]], [[0, 0], [128, 255]]]
    assert ends.tolist() == [[0, 4], [-1, 1]]


def test_a_constant_map_is_level_0_and_keeps_its_value():
    levels, ends = quantised(np.full((1, 2, 3), 2.5, np.float32))
    assert not levels.any()
    assert ends.tolist() == [[2.5, 2.5]]


def test_a_value_is_restored_to_half_a_level():
    maps = np.random.default_rng(0).gamma(0.3, 2.0, (5, 13, 13)).astype(np.float32)
    levels, ends = quantised(maps)
    least, extent = ends[:, :1, None], (ends[:, 1] - ends[:, 0])[:, None, None]
    assert levels.dtype == np.uint8
    assert np.abs(least + levels / 255.0 * extent - maps).max() <= extent.max() / 510 * (1 + 1e-4)
