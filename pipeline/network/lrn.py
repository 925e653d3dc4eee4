"""Local response normalisation as a banded 1 × 1 convolution, forward and backward.

The sums of squares over neighbouring channels are a product with a band matrix: mostly zeros, and
still several times cheaper than averaging across maps. Not for a network in which NaN or an
overflow may come about: 0 × NaN spreads it to all channels.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.network.ops import LocalResponseNorm

Maps = Float[Tensor, "image channel row col"]


def local_response_norm(op: LocalResponseNorm, maps: Maps) -> Maps:
    """Divide maps by (k + alpha · the sum of squares over neighbouring channels) ** beta.

    Computed in float32 under autocast; returned in the maps' own type.
    """
    with torch.autocast(maps.device.type, enabled=False):
        values = maps.float()
        divided: Maps = _Norm.apply(values, *band(op, maps.shape[1], values), op.beta)
    return divided.to(maps.dtype)


def band(
    op: LocalResponseNorm, channels: int, like: Float[Tensor, "..."]
) -> tuple[Float[Tensor, "channel channel 1 1"], Float[Tensor, " channel"]]:
    """Weight and bias of the convolution that makes the divisor's base of the squares.

    `like` is any tensor of the maps' precision, on their device.
    """
    line = torch.arange(channels, device=like.device)
    distance = line - line[:, None]
    near = (distance >= -(op.channels // 2)) & (distance <= (op.channels - 1) // 2)
    return (near * op.alpha).to(like)[:, :, None, None], like.new_full((channels,), op.k)


def overwriting_norm(beta: float, base: Callable[[Maps], Maps]) -> Callable[[Maps], Maps]:
    """The norm without a derivative, which overwrites its maps; `base` is a fast convolution."""

    def step(maps: Maps) -> Maps:
        return _divide_by_power(maps, base(maps.square()), beta)

    return step


def _divide_by_power(maps: Maps, base: Maps, exponent: float) -> Maps:
    """maps / base ** exponent, overwriting both; roots are cheaper than a power."""
    if exponent != 0.75:
        return maps.div_(base.pow_(exponent))
    maps.mul_(base.rsqrt_())
    return maps.mul_(base.sqrt_())


class _Norm(torch.autograd.Function):
    """y = x · d^−beta with d = k + band · x²."""

    @staticmethod
    def forward(
        ctx: torch.autograd.function.FunctionCtx,
        maps: Tensor,
        weight: Tensor,
        floor: Tensor,
        beta: float,
    ) -> Tensor:
        divisor = functional.conv2d(maps * maps, weight, floor)
        ctx.save_for_backward(maps, divisor, weight)
        ctx.beta = beta  # type: ignore[attr-defined]
        return _divide_by_power(maps.clone(), divisor.clone(), beta)

    @staticmethod
    def backward(
        ctx: torch.autograd.function.FunctionCtx, gradient: Tensor
    ) -> tuple[Tensor, None, None, None]:
        maps, divisor, weight = ctx.saved_tensors  # type: ignore[attr-defined]
        beta: float = ctx.beta  # type: ignore[attr-defined]
        direct = _divide_by_power(gradient.clone(), divisor.clone(), beta)
        shared = functional.conv2d(direct * maps / divisor, weight.transpose(0, 1))
        return torch.addcmul(direct, maps, shared, value=-2 * beta), None, None, None
