import numpy as np

from pipeline.figures.transforms import transformed, transforms

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3)).astype(np.uint8)
FILL = (10.0, 20.0, 30.0)


def test_no_change_is_the_centre_crop():
    for kind, amount in (("translation", 0.0), ("scale", 1.0), ("rotation", 0.0)):
        assert (transformed(IMAGE, kind, amount, 32, FILL) == IMAGE[4:36, 9:41]).all()


def test_a_translation_moves_the_pixels_down_and_fills_what_comes_in():
    moved = transformed(IMAGE, "translation", 6.0, 32, FILL)
    assert (moved[2:] == IMAGE[0:30, 9:41]).all()
    assert (moved[:2] == FILL).all()


def test_half_a_turn_is_the_image_upside_down_and_mirrored():
    turned = transformed(IMAGE, "rotation", 180.0, 32, FILL)
    assert (turned == IMAGE[::-1, ::-1][4:36, 9:41]).mean() > 0.99


def test_a_quarter_turn_is_anticlockwise():
    picture = np.zeros((41, 41, 3), np.uint8)
    picture[20, 36] = 255
    turned = transformed(picture, "rotation", 90.0, 41, (0.0, 0.0, 0.0))
    assert np.unravel_index(turned[..., 0].argmax(), (41, 41)) == (4, 20)


def test_twice_as_large_shows_half_of_the_image():
    picture = np.zeros((41, 41, 3), np.uint8)
    picture[15, 20] = 255
    larger = transformed(picture, "scale", 2.0, 41, (0.0, 0.0, 0.0))
    assert np.unravel_index(larger[..., 0].argmax(), (41, 41)) == (10, 20)


def test_the_ranges_hold_the_untransformed_image():
    moved, enlarged, turned = transforms(60, 1.8, 10)
    assert moved.amounts[0] == -60
    assert moved.amounts[-1] == 60
    assert 0 in moved.amounts
    assert enlarged.amounts[0] == 1
    assert enlarged.amounts[-1] == 1.8
    assert turned.amounts == tuple(range(0, 360, 18))
