import numpy as np
import pytest

from demo.backgrounds import background, clouds, dead_leaves, horizon, lights


@pytest.mark.parametrize("draw", [background, clouds, dead_leaves, horizon, lights])
def test_a_background_fills_the_picture_and_a_seed_decides_it(draw):
    first, again, other = (draw(np.random.default_rng(s), 64, 80) for s in (1, 1, 2))
    assert first.shape == (64, 80, 3)
    assert np.isfinite(first).all()
    assert first.std() > 0.01
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_sky_and_the_ground_differ_by_more_than_rows_of_either_do():
    gaps = []
    for seed in range(12):
        rows = horizon(np.random.default_rng(seed), 64, 64).mean(axis=1)
        gaps.append(np.abs(rows[:16].mean(axis=0) - rows[-16:].mean(axis=0)).max())
    assert np.median(gaps) > 0.05
