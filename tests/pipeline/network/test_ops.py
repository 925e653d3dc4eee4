import pytest

from pipeline.network.ops import (
    BatchNorm,
    Conv,
    Curve,
    Linear,
    MapNorm,
    MaxPool,
    MeanPool,
    Scale,
    Window,
    square,
)


@pytest.mark.parametrize(
    ("window", "size", "cells"),
    [
        (square(3, 2), 7, 3),  # 0-2, 2-4, 4-6: the last window ends with the map
        (square(3, 2), 8, 4),  # one more, two of whose cells are beyond the map
        (square(3, 2, 1), 8, 5),
        (square(7, 2), 225, 110),  # the first layer of ZFNet
    ],
)
def test_the_last_window_may_reach_past_the_map(window, size, cells):
    assert window.completed((size, size)) == (cells, cells)


def test_padding_after_the_map_follows_from_the_number_of_cells():
    window = Window((3, 3), (2, 2), (1, 0))
    assert window.after((7, 8), (4, 3)) == (1, -1)
    assert Window((3, 2), dilation=(4, 5)).extent == (9, 6)
    assert Window((3, 2), dilation=(4, 5)).after((9, 7), (1, 2)) == (0, 0)


@pytest.mark.parametrize(
    ("window", "covers"),
    [(square(2, 2), True), (square(2, 3), False), (Window((2, 2), dilation=(2, 1)), False)],
)
def test_windows_cover_a_map_unless_a_stride_or_a_dilation_leaves_cells_out(window, covers):
    assert window.covers == covers


def test_weights_have_the_shapes_that_the_maps_call_for():
    conv = Conv(Window((3, 5)), "w", "b", groups=2)
    assert conv.tensors((8, 1, 1), [(6, 3, 5)]) == {"w": (8, 3, 3, 5), "b": (8,)}
    assert Linear("w").tensors((7, 1, 1), [(2, 3, 4)]) == {"w": (7, 24)}
    assert Linear("w", per_cell=True).tensors((7, 3, 4), [(2, 3, 4)]) == {"w": (7, 2)}
    norm = BatchNorm("m", "v", None, "b", 0.1)
    assert norm.tensors((4, 2, 2), [(4, 2, 2)]) == {"m": (4,), "v": (4,), "b": (4,)}
    assert Scale(None, None).tensors((4, 2, 2), [(4, 2, 2)]) == {}
    assert MapNorm(2, "w", None, 0.1).tensors((4, 2, 2), [(4, 2, 2)]) == {"w": (4,)}
    assert MaxPool(square(2)).tensors((4, 1, 1), [(4, 2, 2)]) == {}


def test_a_mean_divides_by_the_cells_that_count():
    window = square(3, 2, 1)
    assert MeanPool(window).shares(0, 4, 3) == [1 / 3, 1 / 3, 1 / 2]
    assert MeanPool(window, counts_padding=False).shares(0, 4, 3) == [1 / 2, 1 / 3, 1]
    assert MeanPool(window, divisor=5).shares(0, 4, 3) == [1 / 5] * 3
    assert MeanPool(window, divisor=5).shares(1, 4, 3) == [1.0] * 3


def test_which_functions_rectify_and_which_are_never_negative():
    kinds = ("relu", "relu6", "sigmoid", "softplus", "leaky_relu", "silu", "tanh")
    assert [Curve(kind).rectifies for kind in kinds] == [True] * 2 + [False] * 5
    assert [Curve(kind).never_negative for kind in kinds] == [True] * 4 + [False] * 3
