import numpy as np

from demo.layer import PaintLayer, blend, blurred, cut, opaque, to_image, to_picture


def one(*values):
    """A picture of one pixel."""
    return np.array(values, np.float32)[None, None]


def test_a_layer_lies_over_a_picture_by_its_coverage():
    half = PaintLayer(
        one(0.5, 0, 0), np.full((1, 1), 0.5, np.float32), np.zeros((1, 1), np.float32)
    )
    assert half.over(one(0, 1, 0)).tolist() == [[[0.5, 0.5, 0]]]


def test_what_is_cut_out_of_a_layer_keeps_its_colour_there_and_its_relief():
    whole = opaque(one(0.8, 0.4, 0), np.full((1, 1), 3, np.float32))
    assert whole.alpha.tolist() == [[1]]
    part = cut(whole, np.full((1, 1), 0.25, np.float32))
    np.testing.assert_allclose(part.colour, one(0.2, 0.1, 0), rtol=1e-6)
    assert part.alpha.tolist() == [[0.25]]
    assert part.height.tolist() == [[3]]


def test_a_blend_takes_the_share_of_the_second():
    share = np.array([[0, 0.25, 1]], np.float32)
    assert blend(one(1, 0, 0), one(0, 1, 0), share).tolist() == [
        [[1, 0, 0], [0.75, 0.25, 0], [0, 1, 0]]
    ]


def test_a_blur_spreads_a_point_and_keeps_its_sum_and_a_flat_field():
    field = np.zeros((21, 21), np.float32)
    field[8:13, 8:13] = 1
    soft = blurred(field, 2.0)
    assert soft[10, 10] < 1
    assert soft[10, 14] > 0
    assert abs(soft.sum() - field.sum()) < 0.03 * field.sum()
    assert (blurred(np.ones((9, 9), np.float32), 2.0) == 1).all()


def test_eight_bits_are_rounded_and_come_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    picture = to_picture(to_image(pixels.astype(np.float32) / 255))
    np.testing.assert_allclose(picture * 255, pixels, atol=1e-3)
    assert np.asarray(to_image(one(-1, 0.5, 2))).tolist() == [[[0, 128, 255]]]
