import numpy as np
import pytest
import torch

from pipeline.network.ops import Curve
from pipeline.network.window import Window, square
from pipeline.project.records import offsets, record_of


@pytest.mark.parametrize(
    ("window", "side"),
    [
        (square(3, 2), 9),
        (square(2), 4),
        (Window((2, 3), (1, 2)), 7),
        (Window((3, 2), (2, 1), dilation=(1, 2)), 8),
        (Window((2, 3), (1, 1), before=(0, 1)), 2),
    ],
    ids=str,
)
def test_a_maximum_is_counted_row_by_row_in_its_own_window(window, side):
    (rows, cols), (row_step, col_step) = window.kernel, window.dilation
    cells = 2, (side + 2 * window.before[1] - window.extent[1]) // window.stride[1] + 1
    index, expected = (np.full((1, *cells, rows * cols), -1) for _ in range(2))
    for row, col, channel in np.ndindex(*cells, rows * cols):
        inner = divmod(channel, cols)  # of the channel, where in each window its maximum is
        at_row = row * window.stride[0] + inner[0] * row_step
        at_col = col * window.stride[1] - window.before[1] + inner[1] * col_step
        if 0 <= at_col < side:  # else there is no such cell
            index[0, row, col, channel] = at_row * side + at_col
            expected[0, row, col, channel] = channel
    known = index >= 0
    found = offsets(window, torch.from_numpy(index), side)
    assert found.dtype == torch.uint8
    assert np.array_equal(found.numpy()[known], expected[known])


def test_of_a_relu_a_byte_says_where_it_lets_through():
    values = torch.tensor([-1.0, 0.0, 0.5, 6.0, 7.0]).view(1, 1, 1, 5)
    assert record_of(Curve("relu"), [values]).flatten().tolist() == [0, 0, 1, 1, 1]
    assert record_of(Curve("relu6"), [values]).flatten().tolist() == [0, 0, 1, 0, 0]


def test_the_slope_of_a_smooth_function_is_its_derivative():
    values = torch.linspace(-3, 3, 7, dtype=torch.float64).view(1, 1, 1, 7)
    sigmoid = 1 / (1 + (-values).exp())
    expected = sigmoid + values * sigmoid * (1 - sigmoid)
    found = record_of(Curve("silu"), [values]).permute(0, 3, 1, 2)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
