"""The fast forms against torch's own operations, at whole numbers, where both are exact."""

import pytest
import torch
from torch.nn import functional

from pipeline.network import kernels
from pipeline.network.kernels import added_convolution, convolution, fast_norm, packed_matmul
from pipeline.network.ops import Conv, LocalResponseNorm
from pipeline.network.window import Window, square


def whole(*shape):
    """Whole numbers from −3 to 3, channels last."""
    numbers = torch.randint(-3, 4, shape, generator=torch.Generator().manual_seed(sum(shape)))
    return numbers.float().contiguous(memory_format=torch.channels_last)


MAPS, WEIGHT, BIAS = whole(2, 4, 7, 6), whole(6, 2, 3, 3), torch.arange(-3.0, 3.0)
OP = Conv(Window((3, 3), (2, 1), (1, 0)), "w", "b", groups=2)


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("rectify", [True, False])
def test_a_convolution_is_torchs_with_or_without_the_relu(fuse, rectify):
    step = convolution(OP, (4, 5), WEIGHT, BIAS, rectify=rectify, fuse=fuse)
    around = functional.pad(MAPS, (0, 1, 1, 1))
    expected = functional.conv2d(around, WEIGHT, BIAS, (2, 1), groups=2)
    assert torch.equal(step(MAPS), expected.clamp(min=0) if rectify else expected)
    smaller = functional.conv2d(MAPS[:1], WEIGHT, BIAS, (2, 1), groups=2)
    unpadded = convolution(OP, None, WEIGHT, BIAS, rectify=False, fuse=fuse)
    assert torch.equal(unpadded(MAPS[:1]), smaller)
    assert torch.equal(unpadded(MAPS[1:, :, :5]), unpadded(MAPS[1:])[:, :, :2])


@pytest.mark.parametrize("rectify", [True, False])
def test_a_convolution_adds_itself_to_other_maps_in_place(rectify):
    step = added_convolution(OP, (4, 5), WEIGHT, BIAS, rectify=rectify)
    if step is None:
        pytest.skip("torch has no such product on this machine")
    around, other = functional.pad(MAPS, (0, 1, 1, 1)), whole(2, 6, 4, 5)
    total = functional.conv2d(around, WEIGHT, BIAS, (2, 1), groups=2) + other
    made = step(MAPS, other)
    assert torch.equal(made, total.clamp(min=0) if rectify else total)
    assert made.data_ptr() == other.data_ptr()


def test_the_norm_is_the_paper_s_and_overwrites_its_maps():
    op = LocalResponseNorm(channels=3, alpha=0.5, beta=0.75, k=2.0)
    maps = whole(1, 4, 2, 2)
    near = functional.pad(maps.double().square(), (0, 0, 0, 0, 1, 1)).unfold(1, 3, 1).sum(4)
    expected = maps.double() / (2 + 0.5 * near) ** 0.75
    made = fast_norm(op, 4, maps)(maps)
    torch.testing.assert_close(made.double(), expected, rtol=1e-5, atol=1e-7)
    assert made.data_ptr() == maps.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_packed_product_is_the_product(dtype):
    rows, matrix = whole(5, 3, 1, 1)[:, :, 0, 0].to(dtype), whole(3, 4, 1, 1)[:, :, 0, 0].to(dtype)
    expected = [
        [sum(rows[i, k].item() * matrix[k, j].item() for k in range(3)) for j in range(4)]
        for i in range(5)
    ]
    assert packed_matmul(matrix)(rows).tolist() == expected


def test_plain_operations_serve_where_the_private_ones_are_gone(monkeypatch):
    monkeypatch.setattr(kernels, "has_onednn", lambda: False)
    assert added_convolution(OP, (4, 5), WEIGHT, BIAS, rectify=True) is None
    step = convolution(OP, (4, 5), WEIGHT, BIAS, rectify=True, fuse=True)
    around = functional.pad(MAPS, (0, 1, 1, 1))
    expected = functional.conv2d(around, WEIGHT, BIAS, (2, 1), groups=2).relu()
    assert torch.equal(step(MAPS), expected)


def test_a_layer_of_one_cell_is_a_product_of_its_channels():
    step = convolution(Conv(square(1), "w"), (1, 1), torch.tensor([[[[2.0]], [[5.0]]]]), None,
                       rectify=False, fuse=True)  # fmt: skip
    assert step(torch.tensor([[[[3.0]], [[1.0]]]])).item() == 11
