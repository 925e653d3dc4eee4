"""Renormalisation of conv filters (paper, section 3.1): no filter may grow louder than the rest."""

import torch
from jaxtyping import Float
from torch import Tensor


def filter_rms(weights: Float[Tensor, "out in row col"]) -> Float[Tensor, " out"]:
    """Root mean square of each output filter, over all its weights; the bias does not count."""
    return weights.square().mean(dim=(1, 2, 3)).sqrt()


@torch.no_grad()
def cap_filters(weights: Float[Tensor, "out in row col"], cap: float) -> None:
    """Scale every filter whose root mean square exceeds `cap` back to it, in place."""
    factor = (cap / filter_rms(weights)).clamp(max=1.0)
    weights.mul_(factor[:, None, None, None])
