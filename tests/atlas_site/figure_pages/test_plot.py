import math

import pytest

from atlas_site.figure_pages.plot import HEIGHT, STYLES, WIDTH, plot


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


def test_what_is_not_a_number_is_left_out_of_a_curve_and_styles_begin_again():
    curves = {str(n): [0.0, math.nan, 1.0] for n in range(STYLES + 1)}
    drawn = plot("t", [0.0, 1.0, 2.0], "px", curves, top=1.0)
    assert drawn.curves[0].points == f"0.0,{float(HEIGHT)} {float(WIDTH)},0.0"
    assert drawn.curves[STYLES].style == drawn.curves[0].style == 0
