"""Convolution, norm and matrix product in the form in which a device runs them fastest."""

from collections.abc import Callable
from functools import cache

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.network.functions import Maps, pad_for
from pipeline.network.lrn import band, overwriting_norm
from pipeline.network.ops import Conv, LocalResponseNorm
from pipeline.network.window import Pair, square

Step = Callable[[Maps], Maps]
Matmul = Callable[[Float[Tensor, "row inner"]], Float[Tensor, "row column"]]

ROWS_HINT = 512
"""Rows that a packed matrix is laid out for; it serves any number of them."""


@cache
def has_onednn() -> bool:
    """Whether torch's private oneDNN operations are there and take the arguments used here.

    They are not public in torch: where one is gone or has changed, plain operations serve.
    """
    if not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    geometry = ([0, 0], [1, 1], [1, 1], 1)
    try:
        maps, weight = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 1, 1)
        packed = torch.ops.mkldnn._reorder_convolution_weight(weight, *geometry, [1, 1, 2, 2])
        convolved = torch.ops.mkldnn._convolution_pointwise(
            maps, packed, None, *geometry, "relu", [], ""
        )
        torch.ops.mkldnn._convolution_pointwise_(
            convolved, maps, packed, None, *geometry, "add", 1.0, "relu", [], None
        )
        rows = torch.ops.mkldnn._reorder_linear_weight(torch.ones(2, 3), ROWS_HINT)
        multiplied = torch.ops.mkldnn._linear_pointwise(
            torch.ones(4, 3), rows, None, "none", [], ""
        )
    except (AttributeError, RuntimeError, TypeError):
        return False
    return bool((convolved == 2).all()) and bool((multiplied == 3).all())


def convolution(
    op: Conv,
    cells: Pair | None,
    weight: Float[Tensor, "out in row col"],
    bias: Float[Tensor, " out"] | None,
    *,
    rectify: bool,
    fuse: bool,
) -> Step:
    """A convolution of maps that lie channels last, with a ReLU if `rectify`.

    It makes maps of so many cells; without `cells` it pads nothing. If `fuse` and on a CPU with
    oneDNN, weights are brought into its own layout once per shape of the input, and the ReLU is
    part of the product. That ReLU makes 0 of NaN: not for a network in which one may come about.
    """
    if fuse and _packs(weight):
        return _packed(op, cells, weight, bias, rectify=rectify)
    window = op.window

    def step(signal: Maps) -> Maps:
        whole, padding = pad_for(window, signal, cells) if cells else (signal, (0, 0))
        result = functional.conv2d(
            whole, weight, bias, window.stride, padding, window.dilation, op.groups
        )
        return result.relu_() if rectify else result

    return step


def _packed(
    op: Conv,
    cells: Pair | None,
    weight: Float[Tensor, "out in row col"],
    bias: Float[Tensor, " out"] | None,
    *,
    rectify: bool,
) -> Step:
    window, after = op.window, "relu" if rectify else "none"
    packed: dict[torch.Size, Tensor] = {}

    def step(signal: Maps) -> Maps:
        whole, padding = pad_for(window, signal, cells) if cells else (signal, (0, 0))
        geometry = (list(padding), list(window.stride), list(window.dilation), op.groups)
        if whole.shape not in packed:
            packed[whole.shape] = torch.ops.mkldnn._reorder_convolution_weight(
                weight, *geometry, list(whole.shape)
            )
        result: Maps = torch.ops.mkldnn._convolution_pointwise(
            whole, packed[whole.shape], bias, *geometry, after, [], ""
        )
        return result

    return step


def added_convolution(
    op: Conv,
    cells: Pair,
    weight: Float[Tensor, "out in row col"],
    bias: Float[Tensor, " out"] | None,
    *,
    rectify: bool,
) -> Callable[[Maps, Maps], Maps] | None:
    """A convolution that adds its result to other maps, which it overwrites, as one product.

    None where the device has none.
    """
    if not _packs(weight):
        return None
    window, after = op.window, "relu" if rectify else None
    packed: dict[torch.Size, Tensor] = {}

    def step(signal: Maps, other: Maps) -> Maps:
        whole, padding = pad_for(window, signal, cells)
        geometry = (list(padding), list(window.stride), list(window.dilation), op.groups)
        if whole.shape not in packed:
            packed[whole.shape] = torch.ops.mkldnn._reorder_convolution_weight(
                weight, *geometry, list(whole.shape)
            )
        result: Maps = torch.ops.mkldnn._convolution_pointwise_(
            other, whole, packed[whole.shape], bias, *geometry, "add", 1.0, after, [], None
        )
        return result

    return step


def fast_norm(op: LocalResponseNorm, channels: int, like: Float[Tensor, "..."]) -> Step:
    """A local response norm of maps that lie channels last, which it overwrites.

    `like` is any tensor of the maps' precision, on their device. Not for a network in which NaN or
    an overflow may come about.
    """
    weight, bias = band(op, channels, like)
    laid_out = weight.contiguous(memory_format=torch.channels_last)
    sums = convolution(Conv(square(1), ""), None, laid_out, bias, rectify=False, fuse=True)
    return overwriting_norm(op.beta, sums)


def packed_matmul(matrix: Float[Tensor, "inner column"]) -> Matmul:
    """Products of rows with one matrix.

    On a CPU with oneDNN the matrix is brought into its own layout once: torch's default multiplies
    at less than half that rate on processors that its library does not know.
    """
    if not _packs(matrix):
        return lambda rows: rows @ matrix
    packed = torch.ops.mkldnn._reorder_linear_weight(matrix.t().contiguous(), ROWS_HINT)

    def multiply(rows: Float[Tensor, "row inner"]) -> Float[Tensor, "row column"]:
        result: Tensor = torch.ops.mkldnn._linear_pointwise(rows, packed, None, "none", [], "")
        return result

    return multiply


def _packs(weight: Tensor) -> bool:
    return weight.device.type == "cpu" and weight.dtype == torch.float32 and has_onednn()
