import numpy as np
import pytest

from demo.noise import Tile, pink, smooth, tile


def test_a_tile_is_read_between_its_samples_and_repeats():
    grid = Tile(np.array([[0, 1], [2, 3]], np.float32))

    def at(u, v):
        return float(grid.at(np.array([[u]], np.float32), np.array([[v]], np.float32))[0, 0])

    assert (at(0, 0), at(0.5, 0), at(0, 0.5)) == (0, 1, 2)
    assert at(0.25, 0.25) == pytest.approx(1.5)  # the mean of all four
    assert at(0.75, 0) == pytest.approx(0.5)  # half way to the next tile
    assert at(3.5, -2.0) == 1


@pytest.mark.parametrize(
    "make", [lambda rng: tile(rng, 2.0, 64).values, lambda rng: pink(rng, 64, 96)]
)
def test_noise_has_mean_0_and_deviation_1_and_a_seed_decides_it(make):
    field = make(np.random.default_rng(0))
    assert field.mean() == pytest.approx(0, abs=1e-4)
    assert field.std() == pytest.approx(1, abs=1e-3)
    assert np.array_equal(field, make(np.random.default_rng(0)))
    assert not np.array_equal(field, make(np.random.default_rng(1)))


@pytest.mark.parametrize("falloff", [1.0, 2.0, 3.0])
def test_power_falls_with_frequency_as_it_is_said(falloff):
    power = np.abs(np.fft.fft2(pink(np.random.default_rng(0), 256, 256, falloff))) ** 2
    axis = np.fft.fftfreq(256) * 256
    ring = np.hypot(axis[:, None], axis).round().astype(int)
    mean = np.bincount(ring.ravel(), power.ravel()) / np.bincount(ring.ravel())
    exponent = np.polyfit(np.log(np.arange(4, 100)), np.log(mean[4:100]), 1)[0]
    assert exponent == pytest.approx(-falloff, abs=0.1)


def test_stretched_noise_is_longer_along_the_rows():
    field = pink(np.random.default_rng(0), 128, 128, 2.0, 4.0)
    along, down = (np.abs(np.diff(field, axis=axis)).mean() for axis in (1, 0))
    assert down > 1.5 * along


def test_a_soft_field_has_the_size_asked_for_and_changes_slowly():
    field = smooth(np.random.default_rng(0), 40, 80, 3)
    assert field.shape == (40, 80)
    assert np.abs(field).max() < 1.5
    assert np.abs(np.diff(field, axis=1)).max() < 0.2
