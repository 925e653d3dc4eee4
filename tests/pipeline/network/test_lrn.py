import pytest
import torch
from torch.nn import functional

from pipeline.network.lrn import local_response_norm
from pipeline.network.ops import LocalResponseNorm


@pytest.mark.parametrize("beta", [0.75, 0.5])
@pytest.mark.parametrize("window", [5, 4, 1])
def test_values_and_derivatives_are_those_of_torchs_own_norm(window, beta):
    op = LocalResponseNorm(channels=window, alpha=0.01, beta=beta, k=2.0)
    maps = 10 * torch.rand(2, 7, 3, 4, generator=torch.Generator().manual_seed(0))
    ours, theirs = maps.clone().requires_grad_(), maps.clone().requires_grad_()
    got = local_response_norm(op, ours)
    expected = functional.local_response_norm(theirs, window, 0.01 * window, beta, 2.0)
    torch.testing.assert_close(got, expected)
    weight = torch.rand(got.shape, generator=torch.Generator().manual_seed(1))
    got.backward(weight)
    expected.backward(weight)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_one_channel_by_hand():
    op = LocalResponseNorm(channels=5, alpha=1.0, beta=0.5, k=0.0)
    assert local_response_norm(op, torch.full((1, 1, 1, 1), 3.0)).item() == pytest.approx(1.0)


def test_half_precision_maps_come_back_in_half_precision():
    op = LocalResponseNorm(channels=5, alpha=1e-4, beta=0.75, k=2.0)
    assert (
        local_response_norm(op, torch.ones(1, 8, 2, 2, dtype=torch.bfloat16)).dtype
        == torch.bfloat16
    )
