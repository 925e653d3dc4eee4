import pytest
from torch import nn
from torch.nn import functional

from pipeline.adopt.read import read
from pipeline.adopt.trace import UnreadableError
from pipeline.network.ops import Conv, Curve, MaxPool, MeanPool, Pad, Resample
from pipeline.network.window import Window
from tests.pipeline.adopt.modules import INPUT, Lambda, last_op, ops_of


def test_zeros_around_a_map_become_padding_of_the_convolution():
    graph, _ = read(nn.Sequential(nn.ZeroPad2d((1, 0, 1, 0)), nn.Conv2d(3, 4, 3, 2)), INPUT)
    (conv,) = [node for node in graph.nodes if isinstance(node.op, Conv)]
    assert conv.inputs == (0,)
    assert conv.op.window.before == (1, 1)
    assert conv.op.window.after((24, 20), conv.shape[1:]) == (0, 0)


def test_zeros_before_a_max_pool_count_as_values():
    assert ops_of(nn.ZeroPad2d(1), nn.MaxPool2d(2)) == [Pad, MaxPool]


def test_means_become_windows_where_they_divide_the_map():
    assert isinstance(last_op(nn.AdaptiveAvgPool2d((12, 5))), MeanPool)
    assert isinstance(last_op(nn.AdaptiveAvgPool2d((7, 7))), Resample)
    assert ops_of(nn.AdaptiveAvgPool2d((24, 20)), nn.ReLU()) == [Curve]


def test_a_pool_keeps_its_window_and_what_counts():
    assert last_op(nn.MaxPool2d(3, 2, 1, 2)) == MaxPool(Window((3, 3), (2, 2), (1, 1), (2, 2)))
    assert last_op(nn.MaxPool2d(2)) == MaxPool(Window((2, 2), (2, 2)))
    mean = nn.AvgPool2d((2, 4), padding=(1, 2), count_include_pad=False, divisor_override=3)
    assert last_op(mean) == MeanPool(Window((2, 4), (2, 4), (1, 2)), False, 3)


def test_a_maximum_over_all_cells_is_a_pool_of_one_window():
    assert last_op(Lambda(lambda x: x.amax((2, 3)))) == MaxPool(Window((24, 20)))
    assert last_op(nn.AdaptiveMaxPool2d((12, 5))) == MaxPool(Window((2, 4), (2, 4)))
    with pytest.raises(UnreadableError, match="uneven windows"):
        last_op(nn.AdaptiveMaxPool2d((7, 5)))
    with pytest.raises(UnreadableError, match="something else than all cells"):
        last_op(Lambda(lambda x: x.amax((1, 2))))


def test_a_maximum_that_comes_with_its_places_is_a_pool():
    def with_places(x):
        return functional.max_pool2d(x, 2, return_indices=True)[0]

    assert last_op(Lambda(with_places)) == MaxPool(Window((2, 2), (2, 2)))
    assert last_op(Lambda(lambda x: x.flatten(2).max(-1)[0])) == MaxPool(Window((24, 20)))
    assert last_op(Lambda(lambda x: x.max(2, True)[0])) == MaxPool(Window((24, 1)))
    with pytest.raises(UnreadableError, match="for the places of the maxima"):
        last_op(Lambda(lambda x: x.flatten(2).max(-1)[1]))


def test_means_and_maxima_along_one_axis_are_pools_of_rows_or_columns():
    assert last_op(Lambda(lambda x: x.mean(2, keepdim=True))) == MeanPool(Window((24, 1)))
    assert last_op(Lambda(lambda x: x.amax(3, keepdim=True))) == MaxPool(Window((1, 20)))
    assert ops_of(Lambda(lambda x: x.mean(3).mean(2))) == [MeanPool, Resample]


def test_an_enlargement_names_what_it_does_between_cells():
    def larger(mode, **more):
        return Lambda(lambda x: functional.interpolate(x, scale_factor=2, mode=mode, **more))

    assert last_op(larger("nearest")) == Resample("nearest")
    assert last_op(larger("bilinear", align_corners=False)) == Resample("linear")
    assert last_op(larger("bilinear", align_corners=True)) == Resample("linear_corners")
    assert last_op(larger("nearest-exact")) == Resample("nearest_exact")


def test_an_enlargement_keeps_a_factor_that_is_not_the_ratio_of_the_sizes():
    def by(factor, **more):
        return last_op(nn.Upsample(scale_factor=factor, **more))

    assert by((1.5, 0.25)) == Resample("nearest")  # 24 x 20 become 36 x 5
    assert by((1.5, 0.33)) == Resample("nearest", (1.5, 0.33))
    assert by(1.3, mode="bilinear") == Resample("linear", (1.3, 1.3))
    assert by(1.3, mode="bilinear", recompute_scale_factor=True) == Resample("linear")


def test_a_border_keeps_its_value_and_a_pool_of_minus_infinity_takes_it_in():
    assert last_op(nn.ConstantPad2d((1, 0, 2, 0), 3.5)) == Pad((2, 1), 3.5)
    surrounded = nn.Sequential(nn.ConstantPad2d(1, float("-inf")), nn.MaxPool2d(3, 2))
    assert last_op(surrounded) == MaxPool(Window((3, 3), (2, 2), (1, 1)))
