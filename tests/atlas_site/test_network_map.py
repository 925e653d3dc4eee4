from atlas_site.network_map import LARGEST_SIDE, field_squares, slabs
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


def test_fields_are_to_scale_largest_first_and_whole_images_left_out():
    squares = field_squares([*LAYERS, layer("fc6", 1, 1, 224)], input_px=224)
    assert [s.layer for s in squares] == ["conv2", "conv1"]
    assert [round(s.side, 3) for s in squares] == [12.054, 3.125]
    assert all(abs(s.start * 2 + s.side - 100) < 1e-9 for s in squares)
