import numpy as np
import pytest
import torch

from pipeline.network.functions import apply_op, max_pool, pad_for, resampling
from pipeline.network.ops import (
    BatchNorm,
    ChannelNorm,
    Linear,
    LocalResponseNorm,
    MaxPool,
    MeanPool,
    Pad,
    Resample,
)
from pipeline.network.window import Window, square


def test_contrast_norm_follows_the_papers_formula():
    op = LocalResponseNorm(channels=5, alpha=0.1, beta=0.75, k=2.0)
    maps = torch.rand(1, 7, 2, 2, generator=torch.Generator().manual_seed(0))
    got = apply_op(op, [maps], (2, 2), {})[0].numpy()
    values = maps[0].numpy().astype(np.float64)
    for channel in range(7):
        near = values[max(0, channel - 2) : channel + 3]
        expected = values[channel] / (2 + 0.1 * (near**2).sum(axis=0)) ** 0.75
        np.testing.assert_allclose(got[channel], expected, rtol=1e-5)


def test_a_pool_counts_what_its_last_window_reaches():
    maps = torch.arange(16.0).reshape(1, 1, 4, 4)
    pooled = apply_op(MaxPool(square(3, 2)), [maps], (2, 2), {})
    assert pooled.tolist() == [[[[10.0, 11.0], [14.0, 15.0]]]]


@pytest.mark.parametrize(("size", "side"), [(7, 7), (8, 9), (9, 9), (10, 11)])
def test_zeros_complete_the_last_window_on_the_right_and_bottom_only(size, side):
    window = square(3, 2)
    padded, _ = pad_for(window, torch.ones(1, 1, size, size), window.completed((size, size)))
    assert padded.shape[-2:] == (side, side)
    assert torch.equal(padded[..., :size, :size], torch.ones(1, 1, size, size))
    assert padded.sum() == size**2


def test_of_equal_values_a_pool_takes_the_first_whatever_its_padding():
    maps = torch.full((1, 1, 4, 4), -1.0)
    for before, place in (((0, 0), 0), ((3, 3), 0)):
        values, index = max_pool(Window((4, 4), (4, 4), before), maps, (1, 1))
        assert values.item() == -1
        assert index.item() == place


def test_a_pool_with_a_border_wider_than_half_its_window_gives_positions_on_the_map():
    maps = torch.tensor([[[[1.0, 5.0], [3.0, 2.0]]]])
    values, index = max_pool(Window((3, 3), (1, 1), (2, 2)), maps, (2, 2))
    assert values.tolist() == [[[[1, 5], [3, 5]]]]
    assert index.tolist() == [[[[0, 1], [2, 1]]]]


def test_a_mean_counts_padding_or_not_and_never_what_lies_beyond_it():
    maps = torch.ones(1, 1, 3, 3)
    window = Window((2, 2), (2, 2), (1, 1))
    counted = apply_op(MeanPool(window), [maps], (2, 2), {})
    assert counted.tolist() == [[[[0.25, 0.5], [0.5, 1.0]]]]
    uncounted = apply_op(MeanPool(window, counts_padding=False), [maps], (2, 2), {})
    assert torch.equal(uncounted, torch.ones(1, 1, 2, 2))
    beyond = apply_op(MeanPool(square(2, 2)), [maps], (2, 2), {})
    assert torch.equal(beyond, torch.ones(1, 1, 2, 2))


def test_a_border_and_the_cells_that_a_negative_one_cuts_off():
    maps = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
    padded = apply_op(Pad((1, -1), 9.0), [maps], (3, 2), {})
    assert padded.tolist() == [[[[9, 9], [2, 9], [4, 9]]]]


def test_a_linear_layer_takes_the_whole_map_or_the_channels_of_each_cell():
    maps = torch.tensor([[[[1.0, 2.0]], [[3.0, 4.0]]]])
    whole = apply_op(Linear("w", "b"), [maps], (1, 1), {"w": torch.ones(1, 4), "b": torch.ones(1)})
    assert whole.tolist() == [[[[11]]]]
    weight = torch.tensor([[1.0, 10.0]])
    each = apply_op(Linear("w", per_cell=True), [maps], (1, 2), {"w": weight})
    assert each.tolist() == [[[[31, 42]]]]


def test_norms_centre_and_divide_by_the_deviation():
    maps = torch.tensor([[[[5.0]], [[1.0]]]])
    fixed = {"mean": torch.tensor([1.0, 1.0]), "variance": torch.tensor([3.0, 3.0])}
    batch = apply_op(BatchNorm("mean", "variance", None, None, 1.0), [maps], (1, 1), fixed)
    assert batch.flatten().tolist() == [2, 0]
    weights = {"w": torch.tensor([3.0, 3.0]), "b": torch.tensor([0.5, 0.5])}
    channel = apply_op(ChannelNorm("w", "b", 0.0), [maps], (1, 1), weights)
    assert channel.flatten().tolist() == [3.5, -2.5]


@pytest.mark.parametrize(
    ("kind", "rows"),
    [
        ("nearest", [[1, 0], [1, 0], [0, 1], [0, 1]]),
        ("nearest_exact", [[1, 0], [1, 0], [0, 1], [0, 1]]),
        ("linear", [[1, 0], [0.75, 0.25], [0.25, 0.75], [0, 1]]),
        ("linear_corners", [[1, 0], [2 / 3, 1 / 3], [1 / 3, 2 / 3], [0, 1]]),
    ],
)
def test_a_matrix_enlarges_a_map_of_two_cells_to_four(kind, rows):
    by_row, by_col = resampling(Resample(kind), torch.zeros(2, 2, dtype=torch.float64), (4, 2))
    np.testing.assert_allclose(by_row, rows, atol=1e-15)
    assert by_col.tolist() == [[1, 0], [0, 1]]


def test_a_factor_that_does_not_divide_places_cells_by_itself_not_by_the_sizes():
    """Torch: cell i of the new map lies at (i + 1/2) / factor - 1/2, the nearest at i / factor."""
    of = torch.zeros(3, 5, dtype=torch.float64), (4, 2)
    by_row, by_col = resampling(Resample("linear", (1.5, 0.4)), *of)
    sixth = 1 / 6
    np.testing.assert_allclose(
        by_row,
        [[1, 0, 0], [0.5, 0.5, 0], [0, 5 * sixth, sixth], [0, sixth, 5 * sixth]],
        atol=1e-7,
    )
    np.testing.assert_allclose(by_col, [[0.25, 0.75, 0, 0, 0], [0, 0, 0, 0.75, 0.25]], atol=1e-7)
    by_row, by_col = resampling(Resample("nearest", (1.5, 0.4)), *of)
    assert by_row.argmax(1).tolist() == [0, 0, 1, 2]
    assert by_col.argmax(1).tolist() == [0, 2]


def test_an_adaptive_mean_shares_the_cells_among_windows_that_may_overlap():
    by_row, _ = resampling(Resample("mean"), torch.zeros(3, 1, dtype=torch.float64), (2, 1))
    assert by_row.tolist() == [[0.5, 0.5, 0], [0, 0.5, 0.5]]
