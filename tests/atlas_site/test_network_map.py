import dataclasses

import pytest

from atlas_site.network_map import LARGEST_SIDE, field_boxes, slabs
from tests.atlas_site.plain_layers import layer

LAYERS = [layer("conv1", 110, 96, 7), layer("conv2", 26, 256, 27)]


def side(polygon: str) -> float:
    xs = [float(corner.split(",")[0]) for corner in polygon.split()]
    return max(xs) - min(xs)


def test_slabs_are_as_wide_as_their_maps_on_one_scale():
    found = slabs(LAYERS)
    assert abs(side(found["conv1"].front) - LARGEST_SIDE) < 0.2
    assert abs(side(found["conv2"].front) - LARGEST_SIDE * 26 / 110) < 0.2


def test_slabs_are_as_deep_as_their_channels_on_one_scale():
    found = slabs(LAYERS)
    assert abs(side(found["conv1"].side) / side(found["conv2"].side) - 96 / 256) < 0.02


def test_a_slab_is_as_high_and_as_wide_as_its_map():
    tall = dataclasses.replace(layer("a", 10, 4, 7), map_size=(10, 20))
    corners = [corner.split(",") for corner in slabs([tall])["a"].front.split()]
    xs, ys = (sorted({float(corner[axis]) for corner in corners}) for axis in (0, 1))
    assert xs[1] - xs[0] == pytest.approx(LARGEST_SIDE, abs=0.2)
    assert ys[1] - ys[0] == pytest.approx(LARGEST_SIDE / 2, abs=0.2)


def test_fields_are_to_scale_largest_first_and_whole_images_left_out():
    fields = field_boxes([*LAYERS, layer("fc6", 1, 1, 224)], input_px=224)
    assert [one.layer for one in fields] == ["conv2", "conv1"]
    assert [round(one.width, 3) for one in fields] == [12.054, 3.125]
    assert all(abs(one.top * 2 + one.height - 100) < 1e-9 for one in fields)


def test_a_field_may_be_higher_than_wide():
    tall = dataclasses.replace(layer("a", 10, 4, 50), field_size=(50, 20))
    (one,) = field_boxes([tall], input_px=100)
    assert (one.top, one.left, one.height, one.width) == (25, 40, 50, 20)
