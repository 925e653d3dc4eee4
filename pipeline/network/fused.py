"""Convolution, contrast norm and matrix product in the form in which a device runs them fastest."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.network.chain import ContrastNorm, Conv
from pipeline.network.module import complete_windows

Signal = Float[Tensor, "image _ _ _"]
"""Maps (image, channel, row, col) whose channels and size a step may change."""
Step = Callable[[Signal], Signal]
Product = Callable[[Float[Tensor, "row inner"]], Float[Tensor, "row column"]]

PACKED_FOR = 512
"""Rows that a product's layout is chosen for; it serves any number of them."""


def convolution(
    op: Conv,
    weight: Float[Tensor, "out in row col"],
    bias: Float[Tensor, " out"],
    *,
    rectify: bool,
    fuse: bool,
) -> Step:
    """A convolution of maps that lie channels last, with a ReLU if `rectify`.

    If `fuse` and on a CPU with oneDNN, weights are brought into its own layout once per shape of
    the input, and the ReLU is part of the product. That ReLU makes 0 of NaN: not for a network in
    which one may come about.
    """
    if fuse and _has_onednn(weight):
        return _packed(op, weight, bias, rectify=rectify)

    def step(signal: Signal) -> Signal:
        whole = complete_windows(op, signal)
        result = functional.conv2d(whole, weight, bias, op.stride, op.padding, groups=op.groups)
        return result.relu_() if rectify else result

    return step


def _packed(
    op: Conv,
    weight: Float[Tensor, "out in row col"],
    bias: Float[Tensor, " out"],
    *,
    rectify: bool,
) -> Step:
    geometry = ([op.padding] * 2, [op.stride] * 2, [1, 1], op.groups)
    after = "relu" if rectify else "none"
    packed: dict[torch.Size, Tensor] = {}

    def step(signal: Signal) -> Signal:
        whole = complete_windows(op, signal)
        if whole.shape not in packed:
            packed[whole.shape] = torch.ops.mkldnn._reorder_convolution_weight(
                weight, *geometry, list(whole.shape)
            )
        result: Signal = torch.ops.mkldnn._convolution_pointwise(
            whole, packed[whole.shape], bias, *geometry, after, [], ""
        )
        return result

    return step


def contrast_norm(op: ContrastNorm, channels: int, like: Tensor) -> Step:
    """A contrast norm of maps that lie channels last, which it overwrites.

    `like` is any tensor of the maps' precision, on their device.

    The sums over neighbouring channels are a 1 × 1 convolution of the squares whose weight is a
    band matrix: mostly zeros, and still several times cheaper than averaging across maps. Not for a
    network in which NaN or an overflow may come about: 0 × NaN spreads it to all channels.
    """
    line = torch.arange(channels, device=like.device)
    distance = line - line[:, None]
    near = (distance >= -(op.channels // 2)) & (distance <= (op.channels - 1) // 2)
    band = (
        (near * op.alpha).to(like)[:, :, None, None].contiguous(memory_format=torch.channels_last)
    )
    start = like.new_full((channels,), op.k)
    base = convolution(
        Conv("", channels, channels, kernel=1), band, start, rectify=False, fuse=True
    )

    def step(signal: Signal) -> Signal:
        return _divide_by_power(signal, base(signal.square()), op.beta)

    return step


def _divide_by_power(signal: Signal, base: Signal, exponent: float) -> Signal:
    """signal / base ** exponent, overwriting both; roots are cheaper than a power."""
    if exponent != 0.75:
        return signal.div_(base.pow_(exponent))
    signal.mul_(base.rsqrt_())
    return signal.mul_(base.sqrt_())


def product(matrix: Float[Tensor, "inner column"]) -> Product:
    """Products of rows with one matrix.

    On a CPU with oneDNN the matrix is brought into its own layout once: torch's default multiplies
    at less than half that rate on processors that its library does not know.
    """
    if not _has_onednn(matrix):
        return lambda rows: rows @ matrix
    packed = torch.ops.mkldnn._reorder_linear_weight(matrix.t().contiguous(), PACKED_FOR)

    def multiply(rows: Float[Tensor, "row inner"]) -> Float[Tensor, "row column"]:
        result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, packed, None, "none", [], "")
        return result

    return multiply


def _has_onednn(weight: Tensor) -> bool:
    onednn = torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    return bool(onednn) and weight.device.type == "cpu" and weight.dtype == torch.float32
