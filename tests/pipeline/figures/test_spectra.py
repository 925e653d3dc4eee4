import numpy as np
import pytest

from pipeline.figures.spectra import aliasing, fold_over, radial_shares, white_shares

ROW, COL = np.mgrid[:64, :64]


def picture(values):
    """One picture of three equal colours."""
    return np.repeat(values[None, :, :, None], 3, axis=3)


@pytest.mark.parametrize("frequency", [0.075, 0.225, 0.375])
@pytest.mark.parametrize("turn", [0, 0.6, np.pi / 2])
def test_a_pure_sine_has_its_energy_at_its_frequency_in_any_direction(frequency, turn):
    phase = 2 * np.pi * frequency * (ROW * np.cos(turn) + COL * np.sin(turn))
    (shares,) = radial_shares(picture(np.sin(phase)))
    assert shares.argmax() == int(frequency / 0.05)
    assert shares[int(frequency / 0.05)] > 0.8
    assert shares.sum() == pytest.approx(1)


def test_the_corners_are_in_the_last_bin_and_a_constant_in_the_first():
    assert radial_shares(picture((-1.0) ** (ROW + COL)))[0, -1] > 0.95
    assert radial_shares(picture(np.ones((64, 64))))[0, 0] > 0.9


def test_a_filter_of_zeros_has_no_energy():
    assert not radial_shares(np.zeros((1, 7, 7, 3))).any()


def test_white_noise_has_the_areas_of_the_rings():
    noise = np.random.default_rng(0).normal(size=(200, 7, 7, 3))
    np.testing.assert_allclose(radial_shares(noise).mean(axis=0), white_shares(), atol=0.01)
    assert white_shares()[0] == pytest.approx(np.pi * 0.05**2, rel=0.1)


@pytest.mark.parametrize(("stride", "side"), [(2, 27), (2, 51), (4, 51)])
def test_a_checkerboard_of_the_strides_cells_is_at_the_fold_over(stride, side):
    row, col = np.mgrid[:side, :side]
    smooth = np.exp(-((row - side / 2) ** 2 + (col - side / 2) ** 2) / 200)
    board = (-1.0) ** (row // stride + col // stride)
    assert fold_over(stride) == 1 / (2 * stride)
    assert aliasing(picture(board), stride)[0] > 5
    assert aliasing(picture(board * smooth), stride)[0] > 5
    assert not aliasing(picture(board), 6 - stride)[0] >= 1  # of the other stride


def test_stripes_of_the_stride_are_at_the_fold_over_along_either_axis():
    for place in (ROW, COL):
        assert aliasing(picture(np.sin(np.pi * place / 4 + 0.3)), 4)[0] > 5


def test_an_evenly_falling_spectrum_has_no_trace_of_a_stride():
    rng = np.random.default_rng(0)
    frequency = np.maximum(np.hypot(np.fft.fftfreq(64)[:, None], np.fft.fftfreq(64)), 1 / 64)
    noise = [
        np.fft.ifft2(np.fft.fft2(rng.normal(size=(64, 64))) / frequency).real for _ in range(40)
    ]
    pictures = np.concatenate([picture(one) for one in noise])
    for stride in (2, 4):
        assert np.median(aliasing(pictures, stride)) == pytest.approx(1, abs=0.15)


def test_there_is_no_measure_without_energy_without_stride_and_for_small_pictures():
    assert np.isnan(aliasing(np.zeros((2, 30, 30, 3)), 2)).all()
    assert np.isnan(aliasing(picture(np.sin(ROW)), 1)).all()
    assert np.isnan(aliasing(picture(np.sin(ROW))[:, :43], 4)).all()
