"""The reference's formulas against torch's own functions, and what a norm and a gate pass down."""

import pytest
import torch
from torch.nn import functional

from pipeline.network.graph import Node
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Pad,
    Resample,
    Select,
)
from pipeline.network.window import Window, square
from pipeline.verify.curves import Rule
from pipeline.verify.formulas import apply_node, chosen_maxima, first_maximum, pool_windows

MAPS = torch.randn(1, 4, 6, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
W = torch.randn(6, 2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
V = torch.rand(4, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) + 0.5
WEIGHTS = {"w": W, "v": V, "full": W.reshape(1, 108)[:, :4].repeat(3, 1), "all": W.flatten()[None]}

TORCHS = [
    (
        Conv(Window((3, 3), (2, 1), (1, 1)), "w", groups=2),
        (6, 3, 5),
        functional.conv2d(functional.pad(MAPS, (1, 1, 1, 0)), W, None, (2, 1), groups=2),
    ),
    (
        BatchNorm("v", "v", "v", "v", 0.1),
        (4, 6, 5),
        functional.batch_norm(MAPS, V, V, V, V, eps=0.1),
    ),
    (
        ChannelNorm("v", "v", 0.1),
        (4, 6, 5),
        functional.layer_norm(MAPS.movedim(1, 3), (4,), V, V, 0.1).movedim(3, 1),
    ),
    (MapNorm(2, "v", "v", 0.1), (4, 6, 5), functional.group_norm(MAPS, 2, V, V, 0.1)),
    (
        LocalResponseNorm(3, 0.1, 0.75, 2.0),
        (4, 6, 5),
        functional.local_response_norm(MAPS, 3, 0.3, 0.75, 2.0),
    ),
    (MeanPool(square(3, 2, 1)), (4, 3, 3), functional.avg_pool2d(MAPS, 3, 2, 1)),
    (
        MeanPool(square(3, 2, 1), counts_padding=False),
        (4, 3, 3),
        functional.avg_pool2d(MAPS, 3, 2, 1, count_include_pad=False),
    ),
    (MeanPool(square(2, 2)), (4, 3, 3), functional.avg_pool2d(MAPS, 2, 2, ceil_mode=True)),
    (Resample("mean"), (4, 2, 2), functional.adaptive_avg_pool2d(MAPS, 2)),
    (
        Resample("nearest_exact"),
        (4, 7, 2),
        functional.interpolate(MAPS, (7, 2), None, "nearest-exact"),
    ),
    (
        Resample("linear", (1.4, 0.7)),
        (4, 8, 3),
        functional.interpolate(MAPS, scale_factor=(1.4, 0.7), mode="bilinear"),
    ),
    (
        Resample("nearest", (1.4, 0.7)),
        (4, 8, 3),
        functional.interpolate(MAPS, scale_factor=(1.4, 0.7)),
    ),
    (Pad((1, 2), 7.0), (4, 8, 8), functional.pad(MAPS, (2, 1, 1, 1), value=7.0)),
    (Select((3, 3, 0)), (3, 6, 5), MAPS[:, [3, 3, 0]]),
    (
        Linear("full", per_cell=True),
        (3, 6, 5),
        torch.einsum("oc,ncij->noij", WEIGHTS["full"], MAPS),
    ),
]


@pytest.mark.parametrize(("op", "shape", "expected"), TORCHS, ids=lambda v: type(v).__name__)
def test_an_operation_is_torchs(op, shape, expected):
    made = apply_node(Node(op, (0,), shape), [MAPS], WEIGHTS, Rule())
    torch.testing.assert_close(made, expected, rtol=1e-12, atol=1e-13)


def test_joins_are_sums_products_and_channels_in_order():
    two = [MAPS, 2 * MAPS]
    assert torch.equal(apply_node(Node(Add(), (0, 0), (4, 6, 5)), two, {}, Rule()), 3 * MAPS)
    assert torch.equal(apply_node(Node(Mul(), (0, 0), (4, 6, 5)), two, {}, Rule()), 2 * MAPS**2)
    assert torch.equal(apply_node(Node(Cat(), (0, 0), (8, 6, 5)), two, {}, Rule())[:, 4:], 2 * MAPS)


def test_a_signal_passes_the_contrast_norm_unchanged_and_a_gate_is_a_constant():
    values = MAPS.clone().requires_grad_()
    norm = LocalResponseNorm(3, 0.1, 0.75, 2.0)
    apply_node(Node(norm, (0,), (4, 6, 5)), [values], {}, Rule()).backward(MAPS)
    assert torch.equal(values.grad, MAPS)
    signal, gate = MAPS.clone().requires_grad_(), (2 * MAPS).requires_grad_()
    apply_node(Node(Mul(), (0, 0), (4, 6, 5)), [signal, gate], {}, Rule()).sum().backward()
    assert torch.equal(signal.grad, 2 * MAPS)
    assert gate.grad is None


def test_windows_of_a_pool_hold_its_cells_and_the_maximum_is_the_first_or_the_chosen_one():
    maps = torch.tensor([[[[1.0, 4.0], [4.0, 3.0]]]], dtype=torch.float64)
    windows = pool_windows(Node(MaxPool(square(2, 2, 1)), (0,), (1, 2, 2)), maps)
    off = -torch.inf
    assert windows[0, 0].tolist() == [
        [[off, off, off, 1], [off, off, 4, off]],
        [[off, 4, off, off], [3, off, off, off]],
    ]
    whole = pool_windows(Node(MaxPool(square(2, 2)), (0,), (1, 1, 1)), maps)
    assert first_maximum(whole).tolist() == [[[[1]]]]
    assert chosen_maxima(whole, None).item() == 4
    assert chosen_maxima(whole, torch.tensor([[[3]]])).item() == 3


def test_of_equal_values_the_first_is_the_maximum():
    windows = torch.tensor([[3.0, 5, 5], [0, 0, 0], [-1, -2, -1]], dtype=torch.float64)
    assert first_maximum(windows).tolist() == [1, 0, 0]


def test_nan_is_larger_than_any_number_as_in_torchs_pools():
    nan, infinity = torch.nan, torch.inf
    windows = torch.tensor([[1.0, nan, 2], [nan, nan, nan], [infinity, nan, 0]])
    assert first_maximum(windows.double()).tolist() == [1, 0, 1]
