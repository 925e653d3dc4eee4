import numpy as np

from demo.occluders import occluder


def test_occluders_leave_most_of_the_middle_free():
    free = []
    for seed in range(24):
        layer = occluder(np.random.default_rng(seed), 60, 80)
        assert layer.alpha.shape == (60, 80)
        assert 0 <= layer.alpha.min() <= layer.alpha.max() <= 1
        assert (layer.colour <= layer.alpha[..., None] + 0.02).all()
        assert layer.alpha.max() > 0.2
        free.append(1 - layer.alpha[20:40, 27:53].mean())
    assert np.mean(free) > 0.7


def test_a_seed_decides_it():
    first, again, other = (occluder(np.random.default_rng(s), 60, 80) for s in (4, 4, 5))
    assert np.array_equal(first.colour, again.colour)
    assert not np.array_equal(first.colour, other.colour)
