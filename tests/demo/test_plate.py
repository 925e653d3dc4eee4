import numpy as np
import pytest

from demo.plate import Plate
from tests.demo.drawing import HEIGHT, UNIT, WIDTH, straight

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]])
RED, BLUE = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)


def test_a_square_covers_as_many_pixels_as_its_sides_say():
    plate = Plate(straight())
    plate.fill(SQUARE, RED, 1.0)
    layer = plate.layer(0.5)
    assert layer.alpha.sum() == pytest.approx((2 * UNIT) ** 2, rel=0.03)
    assert layer.colour[HEIGHT // 2, WIDTH // 2].tolist() == [1, 0, 0]
    assert layer.alpha[0, 0] == layer.alpha[HEIGHT // 2, 5] == 0
    assert layer.height[HEIGHT // 2, WIDTH // 2] == pytest.approx(24)  # the tallest relief


def test_the_last_shape_hides_the_others_and_paint_keeps_the_relief():
    plate = Plate(straight())
    plate.fill(SQUARE, RED, 0.5)
    plate.fill(SQUARE * 0.5, BLUE, None)
    layer = plate.layer()
    assert layer.colour[HEIGHT // 2, WIDTH // 2].tolist() == [0, 0, 1]
    assert layer.colour[HEIGHT // 2, WIDTH // 2 + 18].tolist() == [1, 0, 0]
    assert layer.height[HEIGHT // 2, WIDTH // 2] == pytest.approx(12, abs=0.1)


def test_a_hole_goes_through_everything():
    plate = Plate(straight())
    plate.fill(SQUARE, RED)
    plate.clear(SQUARE * 0.5)
    layer = plate.layer(0.5)
    assert layer.alpha[HEIGHT // 2, WIDTH // 2] == 0
    assert layer.height[HEIGHT // 2, WIDTH // 2] == 0
    assert layer.alpha[HEIGHT // 2, WIDTH // 2 + 18] == 1


def test_a_dome_rises_and_changes_colour_towards_its_middle():
    plate = Plate(straight())
    plate.dome(SQUARE, RED, BLUE, (0.25, 0.75))
    layer = plate.layer()
    middle, rim = layer.height[HEIGHT // 2, WIDTH // 2], layer.height[HEIGHT // 2, WIDTH // 2 + 22]
    assert middle == pytest.approx(18, abs=0.3)
    assert 4 < rim < middle
    assert layer.colour[HEIGHT // 2, WIDTH // 2, 2] > 0.9
    assert layer.colour[HEIGHT // 2, WIDTH // 2 + 22, 0] > 0.9


def test_a_stroke_has_its_width_and_a_contour_is_closed():
    plate = Plate(straight())
    plate.stroke(np.array([[-1.0, 0.0], [1.0, 0.0]]), 0.25, RED)
    assert plate.layer().alpha[:, WIDTH // 2].sum() == pytest.approx(0.25 * UNIT, abs=0.7)
    ring = Plate(straight())
    ring.outline(SQUARE, 0.2, RED)
    for row, col in ((0, -UNIT), (0, UNIT), (-UNIT, 0), (UNIT, 0)):
        assert ring.layer().alpha[int(HEIGHT / 2 + row), int(WIDTH / 2 + col)] > 0.9
    assert ring.layer().alpha[HEIGHT // 2, WIDTH // 2] == 0


def test_a_part_is_marked_in_pixels_of_the_picture():
    plate = Plate(straight())
    plate.mark("nose", 0.5, -1.0)
    assert plate.layer().parts == (("nose", HEIGHT / 2 - UNIT, WIDTH / 2 + UNIT / 2),)
