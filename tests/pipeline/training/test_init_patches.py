from dataclasses import dataclass

import numpy as np
import pytest
import torch

from pipeline.dataset.decoded import ImageDataset
from pipeline.network.normalisation import Normalisation
from pipeline.training.distributed import Group
from pipeline.training.init import correlated, patch_covariance, patch_filters


@dataclass(frozen=True)
class Noise(ImageDataset):
    """Images of coloured noise."""

    count: int
    side: int = 20

    def __len__(self) -> int:
        return self.count

    def __getitems__(self, rows: np.ndarray) -> np.ndarray:
        shape = (self.side, self.side, 3)
        draws = [np.random.default_rng(int(row)).integers(0, 256, shape) for row in rows]
        return np.stack(draws).astype(np.uint8) // np.array([1, 2, 4], np.uint8)


NORMALISATION = Normalisation(
    torch.tensor([120.25, 60.5, 30.0]).reshape(3, 1, 1), torch.full((1, 1, 1), 1 / 64)
)


def covariance(squares: Noise, kernel: int, group: Group | None = None) -> torch.Tensor:
    return patch_covariance(squares, 16, kernel, NORMALISATION, group or Group(), threads=2)


@pytest.mark.parametrize("kernel", [4, 5])
def test_the_covariance_is_that_of_the_normalised_patches_in_the_order_of_a_filters_weights(kernel):
    squares = Noise(40)
    rows = squares.__getitems__(np.arange(40))[:, 2:18, 2:18].astype(np.float64)
    inputs = (rows - np.array([120.25, 60.5, 30.0])) / 64
    patches = [
        image[row : row + kernel, col : col + kernel].transpose(2, 0, 1).ravel()
        for image in inputs
        for row in range(0, 17 - kernel, kernel)
        for col in range(0, 17 - kernel, kernel)
    ]
    expected = np.cov(np.array(patches).T, bias=True)
    np.testing.assert_allclose(covariance(squares, kernel).numpy(), expected, atol=1e-9)


def sums_of_a_process(squares: Noise, rank: int, size: int) -> list[torch.Tensor]:
    """What one of several processes brings to the sums."""
    brought = []

    class Recorder(Group):
        def all_reduce_sum(self, values: torch.Tensor) -> torch.Tensor:
            brought.append(values.clone())
            return values

    covariance(squares, 5, Recorder(rank, size))
    return brought


@pytest.mark.parametrize("size", [2, 3])
def test_any_number_of_processes_sums_to_the_same_bits(size):
    squares = Noise(50)
    alone = sums_of_a_process(squares, 0, 1)
    shares = [sums_of_a_process(squares, rank, size) for rank in range(size)]
    for whole, *parts in zip(alone, *shares, strict=True):
        assert torch.equal(whole, torch.stack(parts).sum(dim=0))


def test_the_filters_do_not_depend_on_the_threads_of_a_process():
    given, drawn = covariance(Noise(30), 5), []
    for threads in (1, 2):
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            drawn.append(patch_filters(given, 16, torch.Generator().manual_seed(3)))
            assert torch.get_num_threads() == threads
        finally:
            torch.set_num_threads(before)
    assert torch.equal(drawn[0], drawn[1])


def test_many_draws_reproduce_a_given_covariance():
    root = torch.randn(12, 12, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    given = root @ root.T
    draws = correlated(given, 200_000, torch.Generator().manual_seed(2))
    torch.testing.assert_close(draws.T @ draws / len(draws), given, atol=0.3, rtol=0.02)


def test_every_filters_response_to_the_patches_has_hes_variance():
    given = covariance(Noise(60), 5)
    filters = patch_filters(given, 8, torch.Generator().manual_seed(0)).double().flatten(1)
    variances = torch.einsum("fi,ij,fj->f", filters, given, filters)
    torch.testing.assert_close(variances, torch.full((8,), 2.0, dtype=torch.float64))


def test_images_that_are_all_alike_give_filters_without_weights_not_without_numbers():
    filters = patch_filters(torch.zeros(12, 12, dtype=torch.float64), 4, torch.Generator())
    assert torch.equal(filters, torch.zeros(4, 3, 2, 2))
