"""Measures of conv filters: what is left of the start, how coarse the pattern is, how large."""

import torch
from jaxtyping import Float
from torch import Tensor

Filters = Float[Tensor, "out in row col"]
LOW_FREQUENCY = 0.2
"""Cycles per pixel below which a pattern counts as coarse."""
SPECTRUM_PX = 64
"""Side of the square on which a filter's spectrum is taken, zeros around the filter."""


def start_cosine(filters: Filters, start: Filters) -> Float[Tensor, " out"]:
    """The magnitude of the cosine between each filter and what it was before the first step.

    1 where training only scaled the filter or reversed its sign, 0 for a filter of zeros.
    """
    now, then = filters.flatten(1).double(), start.flatten(1).double()
    lengths = now.norm(dim=1) * then.norm(dim=1)
    cosine = (now * then).sum(dim=1).abs() / lengths
    return torch.where(lengths > 0, cosine, 0.0).clamp(max=1.0).float()


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
