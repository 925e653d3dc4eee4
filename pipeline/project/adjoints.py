"""The transposed operations: how a signal moves one step down the network."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from pipeline.network.chain import Conv, MaxPool
from pipeline.network.fused import Product, product

SHORT_RUN = 16
"""With fewer channels below it, a transposed convolution would add runs too short to be fast."""
CACHE_BYTES = 4 << 20
"""Of products, or of maps, in memory at a time: what stays in a cache until it is read again."""


@dataclass(frozen=True)
class TransposedConv:
    """The adjoint of a convolution on windows: a product with its weights, then overlapping sums.

    A window of n cells becomes one of (n − 1) · stride + kernel. The product costs what the
    convolution costs; the sums run over whole channels.
    """

    op: Conv
    taps: Float[Tensor, "group out_per_group taps"]
    """The weights of each group; taps are (row, col, in_per_group)."""
    products: Sequence[Product]
    """The product with each group's weights."""

    def from_units(
        self, channel: Int64[Tensor, " entry"], activation: Float[Tensor, " entry"]
    ) -> Float[Tensor, "entry row col in_channel"]:
        """The signal below one unit per entry: its filter times its activation."""
        op, (groups, per_group, _) = self.op, self.taps.shape
        filters = self.taps.flatten(0, 1)[channel] * activation[:, None]
        below = filters.new_zeros(len(channel), op.kernel**2, groups, op.in_channels // groups)
        entries = torch.arange(len(channel), device=channel.device)
        below[entries, :, channel // per_group] = filters.view(len(channel), op.kernel**2, -1)
        return below.view(len(channel), op.kernel, op.kernel, op.in_channels)

    def __call__(
        self, signal: Float[Tensor, "entry row col out_channel"]
    ) -> Float[Tensor, "entry row_below col_below in_channel"]:
        """The signal on the map that feeds the convolution, without its biases."""
        op, (groups, per_group, _) = self.op, self.taps.shape
        entries, cells = signal.shape[:2]
        side = (cells - 1) * op.stride + op.kernel
        below = signal.new_zeros(entries, side, side, op.in_channels)
        parts = zip(signal.chunk(groups, dim=3), below.chunk(groups, dim=3), strict=True)
        step = max(1, CACHE_BYTES // (cells**2 * self.taps[0, 0].nbytes))
        for multiplied, (above, part) in zip(self.products, parts, strict=True):
            for first in range(0, entries, step):
                some = slice(first, first + step)
                products = multiplied(above[some].reshape(-1, per_group))
                patches = products.view(-1, cells, cells, op.kernel, op.kernel, part.shape[3])
                _add_overlapping(part[some], patches, op.stride)
        return below


def _add_overlapping(
    below: Float[Tensor, "entry row_below col_below channel"],
    products: Float[Tensor, "entry row col kernel_row kernel_col channel"],
    stride: int,
) -> None:
    """Add each cell's patch of products where its window lies below."""
    reach = (products.shape[1] - 1) * stride + 1
    for row in range(products.shape[3]):
        for col in range(products.shape[4]):
            below[:, row : row + reach : stride, col : col + reach : stride] += products[
                :, :, :, row, col
            ]


@dataclass(frozen=True)
class PhaseConv:
    """The adjoint of a convolution that reads few channels (the image), as a plain convolution.

    Every pixel of a stride × stride tile takes its own part of the taps, so that the adjoint is a
    convolution of stride 1 with one output channel per pixel of the tile, then a reshuffle.
    """

    op: Conv
    taps: Float[Tensor, "tile_pixel out_per_group tap_row tap_col"]
    """One filter per (input channel, tile row, tile col)."""

    def __call__(
        self, signal: Float[Tensor, "entry row col out_channel"]
    ) -> Float[Tensor, "entry row_below col_below in_channel"]:
        """The signal on the map that feeds the convolution, without its biases."""
        op = self.op
        side = (signal.shape[1] - 1) * op.stride + op.kernel
        tiles = functional.conv2d(
            signal.permute(0, 3, 1, 2), self.taps, padding=self.taps.shape[2] - 1, groups=op.groups
        )
        pixels = functional.pixel_shuffle(tiles, op.stride)[:, :, :side, :side]
        return pixels.permute(0, 2, 3, 1)

    def from_units(
        self, channel: Int64[Tensor, " entry"], activation: Float[Tensor, " entry"]
    ) -> Float[Tensor, "entry row col in_channel"]:
        """The signal below one unit per entry: its filter times its activation."""
        unit = self.taps.new_zeros(len(channel), 1, 1, self.op.out_channels)
        unit[torch.arange(len(channel), device=channel.device), 0, 0, channel] = activation
        return self(unit)


def transpose(
    op: Conv, weight: Float[Tensor, "out_channel in_per_group row col"]
) -> TransposedConv | PhaseConv:
    """The adjoint of a convolution with these weights, in the form that is faster for its shape."""
    if op.in_channels // op.groups < SHORT_RUN:
        return PhaseConv(op, _phases(op, weight))
    taps = weight.permute(0, 2, 3, 1).reshape(op.groups, op.out_channels // op.groups, -1)
    return TransposedConv(op, taps.contiguous(), [product(group) for group in taps])


def _phases(
    op: Conv, weight: Float[Tensor, "out_channel in_per_group row col"]
) -> Float[Tensor, "tile_pixel out_per_group tap_row tap_col"]:
    """Sort a kernel's taps by the pixel of the tile that they reach; the last are filled with 0."""
    stride, taps = op.stride, -(-op.kernel // op.stride)
    short = taps * stride - op.kernel
    full = functional.pad(weight, (0, short, 0, short))
    split = (op.groups, -1, weight.shape[1], taps, stride, taps, stride)
    tiled = full.reshape(split).flip(3, 5)
    # (group, out, in, tap row, tile row, tap col, tile col): the tile goes beside the inputs.
    ordered: Tensor = tiled.permute(0, 2, 4, 6, 1, 3, 5).flatten(0, 3)
    return ordered.contiguous(memory_format=torch.channels_last)


def unpool(
    op: MaxPool,
    signal: Float[Tensor, "entry row col channel"],
    switches: UInt8[Tensor, "entry row col channel"],
) -> Float[Tensor, "entry row_below col_below channel"]:
    """Send each pooled cell's signal back to the cell its maximum came from; shared cells add up.

    A switch counts the cells of its own pooling window, row by row.
    """
    if signal.device.type == "cpu":
        return _unpool_at_once(op, signal, switches)
    return _unpool_by_offset(op, signal, switches)


def _unpool_at_once(
    op: MaxPool,
    signal: Float[Tensor, "entry row col channel"],
    switches: UInt8[Tensor, "entry row col channel"],
) -> Float[Tensor, "entry row_below col_below channel"]:
    """The library's adjoint of a max pool. On a GPU its sums run in no fixed order."""
    entries, cells, _, channels = signal.shape
    side = (cells - 1) * op.stride + op.kernel
    below = signal.new_empty(entries, side, side, channels).permute(0, 3, 1, 2)
    kernel, stride = [op.kernel] * 2, [op.stride] * 2
    filled: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        signal.permute(0, 3, 1, 2), below, kernel, stride, [0, 0], [1, 1], True,
        _positions(op, switches, side).permute(0, 3, 1, 2),
    )  # fmt: skip
    return filled.permute(0, 2, 3, 1)


def _positions(
    op: MaxPool, switches: UInt8[Tensor, "entry row col channel"], side: int
) -> Int64[Tensor, "entry row col channel"]:
    """Where on a map of `side` columns each switch points, counted row by row."""
    place = torch.arange(op.kernel**2)
    place = place // op.kernel * side + place % op.kernel
    cells = torch.arange(switches.shape[1]) * op.stride
    corner = (cells[:, None] * side + cells)[:, :, None]
    return place.index_select(0, switches.flatten().int()).view(switches.shape).add_(corner)


def _unpool_by_offset(
    op: MaxPool,
    signal: Float[Tensor, "entry row col channel"],
    switches: UInt8[Tensor, "entry row col channel"],
) -> Float[Tensor, "entry row_below col_below channel"]:
    """One addition per position in the pool's window: the same order of sums on any device."""
    reach = (signal.shape[1] - 1) * op.stride + 1
    side = reach - 1 + op.kernel
    below = signal.new_zeros(len(signal), side, side, signal.shape[3])
    for row in range(op.kernel):
        for col in range(op.kernel):
            chosen = torch.where(switches == row * op.kernel + col, signal, 0.0)
            below[:, row : row + reach : op.stride, col : col + reach : op.stride] += chosen
    return below
