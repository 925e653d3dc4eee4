import numpy as np
import pytest

from pipeline.project.energy import energy_boxes


def smallest(picture: np.ndarray, frame: list[int], centre: list[float]) -> list[int]:
    """The first square around a centre with 90 % of the energy, each tried with all its pixels."""
    energy = (picture.astype(np.float64) ** 2).sum(axis=2)
    top, left, bottom, right = frame
    row, col = np.arange(top, bottom) + 0.5, np.arange(left, right) + 0.5
    for half in np.arange(0.5, 100, 0.5):
        rows, cols = (abs(at - c) <= half - 0.5 for at, c in zip((row, col), centre, strict=True))
        if rows.any() and cols.any() and energy[rows][:, cols].sum() >= 0.9 * energy.sum():
            return [
                int(values[inside][end] + sign * 0.5)
                for end, sign in ((0, -1), (-1, 1))
                for values, inside in ((row, rows), (col, cols))
            ]
    raise AssertionError


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (8, 8), (27, 27), (10, 12), (13, 9)])
@pytest.mark.parametrize("away", [(0, 0), (-2, 3)])
def test_an_energy_box_is_the_smallest_square_around_the_unit_with_nine_tenths(size, away):
    rng = np.random.default_rng(size[0])
    width = rng.uniform(0.1, 1, (20, 1, 1, 1)) * max(size)
    row, col = (np.arange(side) - (side - 1) / 2 for side in size)
    distance = np.hypot(row[:, None], col)[None, :, :, None]
    pictures = rng.normal(size=(20, *size, 3)) * np.exp(-((distance / width) ** 2))
    pictures = (pictures / np.abs(pictures).max(axis=(1, 2, 3), keepdims=True)).astype(np.float16)
    frames = np.array([[i, -i, i + size[0], size[1] - i] for i in range(20)], np.int32)
    centres = (frames[:, :2] + frames[:, 2:]) / 2 + away
    expected = [
        smallest(*each) for each in zip(pictures, frames.tolist(), centres.tolist(), strict=True)
    ]
    assert energy_boxes(pictures, frames, centres).tolist() == expected


def test_a_square_in_the_middle_of_its_frame_leaves_the_same_margin_on_all_sides():
    pictures = np.zeros((3, 7, 7, 3), np.float16)
    pictures[0, 3, 3], pictures[1, 0, 6] = 1, 1
    frames = np.array([[0, 10, 7, 17]] * 3, np.int32)
    centres = np.array([[3.5, 13.5]] * 3)
    expected = [[3, 13, 4, 14], [0, 10, 7, 17], [0, 10, 7, 17]]
    assert energy_boxes(pictures, frames, centres).tolist() == expected


def test_a_unit_in_a_corner_of_an_image_that_it_sees_whole_has_its_own_corner():
    """Its energy within three pixels of (2, 30) is 10 of 10.1; a pixel less holds 9 of 10.1."""
    pictures = np.zeros((1, 32, 32, 3), np.float16)
    pictures[0, 2, 30, 1] = 3  # 9
    pictures[0, 5, 30, 0] = 1  # 1, three pixels below
    pictures[0, 20, 4, 2] = 0.316  # 0.1, far away
    whole, centre = np.array([[0, 0, 32, 32]], np.int32), np.array([[2.5, 30.5]])
    assert energy_boxes(pictures, whole, centre).tolist() == [[0, 27, 6, 32]]


def test_of_a_reduced_picture_a_square_grows_by_whole_pixels_of_it():
    """A frame of 11 pixels a side in six of two, the last cut off; the unit is at pixel 1, 9."""
    pictures = np.zeros((1, 6, 6, 3), np.float16)
    pictures[0, 1, 4], pictures[0, 0, 5] = 0.5, 0.5
    frame, centre = np.array([[100, 0, 111, 11]], np.int32), np.array([[103.0, 9.0]])
    assert energy_boxes(pictures, frame, centre, pixel=2).tolist() == [[100, 6, 106, 11]]
