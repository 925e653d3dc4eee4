"""Measures of conv filters: how coarse the pattern is, how large."""

import torch
from jaxtyping import Float
from torch import Tensor

Filters = Float[Tensor, "out in row col"]
LOW_FREQUENCY = 0.2
"""Cycles per pixel below which a pattern counts as coarse."""
SPECTRUM_PX = 64
"""Side of the square on which a filter's spectrum is taken, zeros around the filter."""


def low_frequency_share(filters: Filters) -> Float[Tensor, " out"]:
    """The share of each filter's energy below 0.2 cycles per pixel, in all directions and colours.

    White noise has 0.126, the area of that disc in the plane of frequencies; a filter of zeros 0.
    """
    side = max(SPECTRUM_PX, *filters.shape[-2:])
    energy = torch.fft.fft2(filters.double(), s=(side, side)).abs().square().sum(dim=1)
    frequency = torch.fft.fftfreq(side, dtype=torch.float64, device=filters.device)
    low = torch.hypot(frequency[:, None], frequency[None, :]) < LOW_FREQUENCY
    whole = energy.sum(dim=(1, 2))
    share = (energy * low).sum(dim=(1, 2)) / whole
    return torch.where(whole > 0, share, 0.0).float()


def filter_rms(filters: Filters) -> Float[Tensor, " out"]:
    """Root mean square of each output filter, over all its weights; the bias does not count."""
    return filters.square().mean(dim=(1, 2, 3)).sqrt()
