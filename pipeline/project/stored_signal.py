"""Projections in the size in which they are stored."""

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


def reduced_signal(
    pictures: Float[Tensor, "entry row col 3"], factor: int
) -> Float[Tensor, "entry _ _ 3"]:
    """Signals reduced to the means of squares of pixels."""
    if factor == 1:
        return pictures
    planes = pictures.permute(0, 3, 1, 2)
    means = functional.avg_pool2d(planes, factor, ceil_mode=True, count_include_pad=False)
    return means.permute(0, 2, 3, 1)
