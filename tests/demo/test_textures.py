import numpy as np
import pytest

from demo.colour import table
from demo.textures import Plane, bands, checks, dots, scales, stripes, wood
from tests.demo.drawing import check_texture


@pytest.mark.parametrize("draw", [checks, dots, scales, stripes, wood])
def test_a_texture_fills_the_plane_and_a_seed_decides_it(draw):
    check_texture(draw)


def test_bands_repeat_their_colours_once_a_unit():
    colours = table([(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)])
    phase = np.array([[0.25, 0.6, 0.9, 1.25, -0.4]], np.float32)
    found = bands(phase, np.full_like(phase, 1000), [0.5, 0.75, 1.0], colours)
    assert found[0].argmax(axis=1).tolist() == [0, 1, 2, 0, 1]
    assert found.sum(axis=2) == pytest.approx(1)


def test_a_turned_plane_has_axes_and_units_of_its_own():
    one = np.ones((1, 1), np.float32)
    turned = Plane(one, 0 * one, 10 * one).turned(np.pi / 2, 2.0)
    assert (turned.u.item(), turned.v.item()) == pytest.approx((0, -0.5), abs=1e-6)
    assert turned.unit_px.item() == 20
    pushed = Plane(one, one, one).pushed(one, -one)
    assert (pushed.u.item(), pushed.v.item()) == (2, 0)
