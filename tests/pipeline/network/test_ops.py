from pipeline.network.ops import BatchNorm, Conv, Curve, Linear, MapNorm, MaxPool, MeanPool, Scale
from pipeline.network.window import Window, square


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
