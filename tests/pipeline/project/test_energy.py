import numpy as np
import pytest

from pipeline.project.energy import energy_boxes


def brute_force(picture: np.ndarray, box: list[int]) -> list[int]:
    """The last margin that leaves 90 % of the energy inside, tried one by one."""
    rows, cols = picture.shape[:2]
    energy = (picture.astype(np.float64) ** 2).sum(axis=2)
    kept = 0
    for margin in range((min(rows, cols) + 1) // 2):
        if energy[margin : rows - margin, margin : cols - margin].sum() >= 0.9 * energy.sum():
            kept = margin
    top, left, bottom, right = box
    return [top + kept, left + kept, bottom - kept, right - kept]


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (8, 8), (27, 27), (9, 12), (12, 9)])
def test_an_energy_box_is_the_smallest_centred_square_with_nine_tenths(size):
    rng = np.random.default_rng(size[0])
    width = rng.uniform(0.1, 1, (20, 1, 1, 1)) * max(size)
    row, col = (np.arange(side) - (side - 1) / 2 for side in size)
    distance = np.hypot(row[:, None], col)[None, :, :, None]
    pictures = rng.normal(size=(20, *size, 3)) * np.exp(-((distance / width) ** 2))
    pictures = (pictures / np.abs(pictures).max(axis=(1, 2, 3), keepdims=True)).astype(np.float16)
    boxes = np.array([[i, -i, i + size[0], size[1] - i] for i in range(20)], np.int32)
    expected = [brute_force(*pair) for pair in zip(pictures, boxes.tolist(), strict=True)]
    assert energy_boxes(pictures, boxes).tolist() == expected


def test_one_pixel_in_the_middle_is_the_smallest_and_one_in_the_corner_the_largest_box():
    pictures = np.zeros((3, 7, 7, 3), np.float16)
    pictures[0, 3, 3], pictures[1, 0, 6] = 1, 1
    boxes = np.array([[0, 10, 7, 17]] * 3, np.int32)
    expected = [[3, 13, 4, 14], [0, 10, 7, 17], [0, 10, 7, 17]]
    assert energy_boxes(pictures, boxes).tolist() == expected
