import numpy as np
import pytest

from pipeline.atlas.patch import cut_patch

IMAGE = np.arange(1, 6 * 6 * 3 + 1, dtype=np.uint8).reshape(6, 6, 3)
BOXES = [(1, 2, 4, 5), (-2, -1, 3, 4), (3, 3, 8, 8), (-2, 2, 9, 13), (-3, -3, 9, 9), (4, -9, 9, -4)]


@pytest.mark.parametrize("box", BOXES)
def test_a_patch_shows_the_pixels_of_its_box_and_0_outside_the_image(box):
    top, left, bottom, right = box
    patch = cut_patch(IMAGE, np.array(box, np.int32))
    assert patch.shape == (bottom - top, right - left, 3)
    for row, col in np.ndindex(patch.shape[:2]):
        inside = 0 <= row + top < 6 and 0 <= col + left < 6
        expected = IMAGE[row + top, col + left].tolist() if inside else [0, 0, 0]
        assert patch[row, col].tolist() == expected
