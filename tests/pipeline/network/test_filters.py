import math

import numpy as np
import pytest
import torch

from pipeline.network.filters import low_frequency_share


def grating(cycles_per_pixel: float, side: int = 31) -> torch.Tensor:
    """A smooth-edged grating, alike in all colours."""
    place = np.arange(side) - side // 2
    window = np.exp(-((place / (side / 6)) ** 2))
    wave = np.cos(2 * math.pi * cycles_per_pixel * place) * window
    return torch.from_numpy((window[:, None] * wave)[None].repeat(3, axis=0)).float()


def test_a_coarse_grating_is_all_low_frequency_and_a_fine_one_is_not():
    shares = low_frequency_share(torch.stack([grating(0.05), grating(0.35)]))
    assert shares[0] > 0.99
    assert shares[1] < 0.01


def test_white_noise_has_the_area_of_the_disc():
    noise = torch.randn(4000, 3, 7, 7, generator=torch.Generator().manual_seed(0))
    assert low_frequency_share(noise).mean().item() == pytest.approx(math.pi * 0.2**2, abs=0.003)


def test_a_filter_of_zeros_has_no_low_frequency():
    assert low_frequency_share(torch.zeros(1, 3, 7, 7)).tolist() == [0.0]
