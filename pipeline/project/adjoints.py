"""Adjoints of convolutions: how a signal moves below one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from pipeline.network.kernels import Matmul, Step, convolution, packed_matmul
from pipeline.network.ops import Conv
from pipeline.network.window import Pair, Window

FLIPPED_FROM = 14
"""Cells along both axes from which a convolution of stride 1 is turned round."""
SHORT_RUN = 16
"""With fewer channels below it, a transposed convolution would add runs too short to be fast."""
CACHE_BYTES = 4 << 20
"""Of products, or of maps, in memory at a time: what stays in a cache until it is read again."""

Signal = Float[Tensor, "entry _ _ _"]
"""Maps of a signal on its way down (entry, row, col, channel)."""


@dataclass(frozen=True)
class TransposedConv:
    """The adjoint of a convolution on windows: a product with its weights, then overlapping sums.

    A window of n cells becomes one of (n − 1) · stride + kernel. The product costs what the
    convolution costs; the sums run over whole channels.
    """

    op: Conv
    taps: Float[Tensor, "group out_per_group taps"]
    """The weights of each group; taps are (row, col, in_per_group)."""
    products: Sequence[Matmul]
    """The product with each group's weights."""

    def __call__(self, signal: Signal) -> Signal:
        """The signal on the map that feeds the convolution, without its biases."""
        window, (groups, per_group, taps) = self.op.window, self.taps.shape
        (entries, rows, cols), kernel = signal.shape[:3], window.kernel
        if groups == 1 and kernel == window.stride == (1, 1):
            return self.products[0](signal.reshape(-1, per_group)).view(entries, rows, cols, -1)
        reach = cells_below(window, rows, cols)
        in_channels = groups * taps // (kernel[0] * kernel[1])
        below = signal.new_zeros(entries, *reach, in_channels)
        parts = zip(signal.chunk(groups, dim=3), below.chunk(groups, dim=3), strict=True)
        step = max(1, CACHE_BYTES // (rows * cols * self.taps[0, 0].nbytes))
        for multiplied, (above, part) in zip(self.products, parts, strict=True):
            for first in range(0, entries, step):
                some = slice(first, first + step)
                products = multiplied(above[some].reshape(-1, per_group))
                patches = products.view(-1, rows, cols, *kernel, part.shape[3])
                _add_overlapping(part[some], patches, window)
        return below


def cells_below(window: Window, rows: int, cols: int) -> Pair:
    """Rows and columns below that the windows of so many cells read."""
    (row_extent, col_extent), (row_stride, col_stride) = window.extent, window.stride
    return (rows - 1) * row_stride + row_extent, (cols - 1) * col_stride + col_extent


def _add_overlapping(
    below: Float[Tensor, "entry row_below col_below channel"],
    products: Float[Tensor, "entry row col kernel_row kernel_col channel"],
    window: Window,
) -> None:
    """Add each cell's patch of products where its window lies below."""
    for row in range(products.shape[3]):
        for col in range(products.shape[4]):
            reached = cells_read(below, window, row, col, products.shape[1:3])
            reached += products[:, :, :, row, col]


def cells_read(
    below: Float[Tensor, "entry row_below col_below channel"],
    window: Window,
    row: int,
    col: int,
    cells: Sequence[int],
) -> Float[Tensor, "entry _ _ _"]:
    """The cells below that one position of the window reads, for every cell above."""
    first = row * window.dilation[0], col * window.dilation[1]
    stop = (
        start + (count - 1) * stride + 1
        for start, count, stride in zip(first, cells, window.stride, strict=True)
    )
    rows, cols = (
        slice(start, end, stride)
        for start, end, stride in zip(first, stop, window.stride, strict=True)
    )
    return below[:, rows, cols]


@dataclass(frozen=True)
class PhaseConv:
    """The adjoint of a convolution that reads few channels (the image), as a plain convolution.

    Every pixel of a stride × stride tile takes its own part of the taps, so that the adjoint is a
    convolution of stride 1 with one output channel per pixel of the tile, then a reshuffle.
    """

    op: Conv
    taps: Float[Tensor, "tile_pixel out_per_group tap_row tap_col"]
    """One filter per (input channel, tile row, tile col)."""

    def __call__(self, signal: Signal) -> Signal:
        """The signal on the map that feeds the convolution, without its biases."""
        rows, cols = cells_below(self.op.window, signal.shape[1], signal.shape[2])
        padding = self.taps.shape[2] - 1, self.taps.shape[3] - 1
        tiles = functional.conv2d(
            signal.permute(0, 3, 1, 2), self.taps, padding=padding, groups=self.op.groups
        )
        pixels = functional.pixel_shuffle(tiles, self.op.window.stride[0])[:, :, :rows, :cols]
        return pixels.permute(0, 2, 3, 1)


@dataclass(frozen=True)
class FlippedConv:
    """The adjoint of a convolution of stride 1 on wide windows: one with the kernel turned round.

    From FLIPPED_FROM cells on it takes half to three quarters of what overlapping sums take: their
    products are written and read once for each tap. On a small window its padding costs more.
    """

    op: Conv
    convolve: Step
    on_map: bool
    """Whether both windows are their whole maps: then nothing is made outside the map below."""

    def __call__(self, signal: Signal) -> Signal:
        """The signal on the map that feeds the convolution, without its biases."""
        return self.convolve(signal.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)


@dataclass(frozen=True)
class LibraryTransposed:
    """The adjoint of any other convolution, by the library's own."""

    op: Conv
    weight: Float[Tensor, "out_channel in_per_group row col"]

    def __call__(self, signal: Signal) -> Signal:
        """The signal on the map that feeds the convolution, without its biases."""
        window = self.op.window
        below = functional.conv_transpose2d(
            signal.permute(0, 3, 1, 2),
            self.weight,
            stride=window.stride,
            groups=self.op.groups,
            dilation=window.dilation,
        )
        return below.permute(0, 2, 3, 1)


def below_units(
    op: Conv,
    filters: Float[Tensor, "out_channel row col in_per_group"],
    channel: Int64[Tensor, " entry"],
    activation: Float[Tensor, " entry"],
) -> Signal:
    """The signal below one unit of a convolution per entry: its filter times its activation."""
    signal = filters[channel] * activation[:, None, None, None]
    if op.groups == 1 and op.window.dilation == (1, 1):
        return signal
    below = signal.new_zeros(len(signal), *op.window.extent, op.groups, signal.shape[3])
    entries, group = torch.arange(len(signal)), channel // (len(filters) // op.groups)
    row_step, col_step = op.window.dilation
    below[:, ::row_step, ::col_step][entries.to(channel), :, :, group] = signal
    return below.flatten(3)


def single_units(
    channel: Int64[Tensor, " entry"], activation: Float[Tensor, " entry"], channels: int
) -> Signal:
    """A map of one cell for each entry, where its channel alone is active."""
    unit = activation.new_zeros(len(channel), 1, 1, channels)
    unit[torch.arange(len(channel), device=channel.device), 0, 0, channel] = activation
    return unit


Adjoint = TransposedConv | PhaseConv | FlippedConv | LibraryTransposed


def transpose(
    op: Conv, weight: Float[Tensor, "out_channel in_per_group row col"], above: Pair, below: Pair
) -> Adjoint:
    """The adjoint of a convolution with these weights, in the form that is faster for its shape.

    `above` is the size of the window that the signal is on. `below` is the size of the map that
    feeds the convolution, where both windows are their whole maps; else (0, 0).
    """
    window = op.window
    if window.dilation != (1, 1) or window.stride[0] != window.stride[1]:
        return LibraryTransposed(op, weight)
    if weight.shape[1] < SHORT_RUN:
        return PhaseConv(op, _phases(op, weight))
    wide = min(above) >= FLIPPED_FROM and max(window.kernel) > 1
    if wide and window.stride == (1, 1) and op.groups == 1:
        return _flipped(op, weight, above, below)
    taps = weight.permute(0, 2, 3, 1).reshape(op.groups, len(weight) // op.groups, -1)
    return TransposedConv(op, taps.contiguous(), [packed_matmul(group) for group in taps])


def _flipped(
    op: Conv, weight: Float[Tensor, "out_channel in_per_group row col"], above: Pair, below: Pair
) -> FlippedConv:
    rows, cols = (kernel - 1 for kernel in op.window.kernel)
    whole = above[0] + rows, above[1] + cols
    trimmed = whole[0] - 2 * op.window.before[0], whole[1] - 2 * op.window.before[1]
    on_map = below == trimmed and op.window.before <= (rows, cols)
    before = op.window.before if on_map else (0, 0)
    window = replace(op.window, before=(rows - before[0], cols - before[1]))
    turned = weight.flip(2, 3).transpose(0, 1).contiguous(memory_format=torch.channels_last)
    convolve = convolution(
        Conv(window, op.weight), trimmed if on_map else whole, turned, None,
        rectify=False, fuse=True,
    )  # fmt: skip
    return FlippedConv(op, convolve, on_map)


def _phases(
    op: Conv, weight: Float[Tensor, "out_channel in_per_group row col"]
) -> Float[Tensor, "tile_pixel out_per_group tap_row tap_col"]:
    """Sort a kernel's taps by the pixel of the tile that they reach; the last are filled with 0."""
    stride, (rows, cols) = op.window.stride[0], op.window.kernel
    row_taps, col_taps = -(-rows // stride), -(-cols // stride)
    full = functional.pad(weight, (0, col_taps * stride - cols, 0, row_taps * stride - rows))
    split = (op.groups, -1, weight.shape[1], row_taps, stride, col_taps, stride)
    tiled = full.reshape(split).flip(3, 5)
    # (group, out, in, tap row, tile row, tap col, tile col): the tile goes beside the inputs.
    ordered: Tensor = tiled.permute(0, 2, 4, 6, 1, 3, 5).flatten(0, 3)
    return ordered.contiguous(memory_format=torch.channels_last)
