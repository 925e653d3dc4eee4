"""What the pages of figures draw, by hand."""

import numpy as np
import pytest

from atlas_site.figure_pages.heat import (
    CLASS_COLOURS,
    COVER,
    DARK,
    RAMP,
    categories,
    heat,
    overlaid,
)
from atlas_site.figure_pages.plot import HEIGHT, WIDTH, plot


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


def test_a_plot_begins_at_0_and_holds_its_rule():
    drawn = plot("t", [-10.0, 0.0, 10.0], "px", {"a": [1.0, 0.0, 0.5]}, ("others", 0.5), top=1.0)
    assert (
        drawn.curves[0].points == f"0.0,0.0 {WIDTH / 2},{float(HEIGHT)} {float(WIDTH)},{HEIGHT / 2}"
    )
    assert (drawn.rules[0].at, drawn.rules[0].text) == (HEIGHT / 2, "others")
    assert drawn.table.rows == (("-10", "1.000"), ("0", "0.000"), ("10", "0.500"))


@pytest.mark.parametrize(
    ("last", "texts"), [(1.8, ["1", "1.2", "1.4", "1.6", "1.8"]), (1.0, ["1"])]
)
def test_ticks_are_round_values(last, texts):
    assert [tick.text for tick in plot("t", [1.0, last], "×", {"a": [0.0, 1.0]}).x_ticks] == texts
