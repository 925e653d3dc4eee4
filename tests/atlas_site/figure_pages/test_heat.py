import numpy as np

from atlas_site.figure_pages.heat import (
    CLASS_COLOURS,
    COVER,
    DARK,
    RAMP,
    categories,
    heat,
    overlaid,
)


def test_the_ramp_has_its_ends_at_0_and_at_the_top():
    colours = heat(np.array([[-1.0, 0.0, 4.0, 9.0]], np.float32), 4.0)
    assert [tuple(colour) for colour in colours[0].tolist()] == [
        RAMP[0],
        RAMP[0],
        RAMP[-1],
        RAMP[-1],
    ]
    assert heat(np.zeros((1, 1), np.float32), 0.0)[0, 0].tolist() == list(RAMP[0])


def test_classes_beyond_the_colours_share_the_last():
    colours = categories(np.array([[0, 6, 7, 40]]))
    assert [tuple(c) for c in colours[0].tolist()] == [CLASS_COLOURS[n] for n in (0, 6, 7, 7)]


def test_a_place_colours_the_pixels_around_its_middle_and_the_rim_is_dark():
    """Squares of 8 at 0, 4 and 8: their middles are 4, 8 and 12; they colour 2 … 6, 6 … 10 …"""
    image = np.full((20, 20, 3), 100, np.uint8)
    colours = np.zeros((3, 3, 3), np.uint8)
    colours[1, 2] = 200
    shown = overlaid(image, colours, [0, 4, 8], [0, 4, 8], 8)
    inside, rim = round((1 - COVER) * 100), round(DARK * 100)
    bright = round((1 - COVER) * 100 + COVER * 200)
    assert shown[:2].max() == shown[14:].max() == rim
    assert (shown[2:14, 2:10] == inside).all()
    assert (shown[6:10, 10:14] == bright).all()
    assert (shown[10:14, 10:14] == inside).all()
