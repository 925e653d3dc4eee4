"""Adjoints of pools: how a signal moves below one."""

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from pipeline.network.window import Window
from pipeline.project.adjoints import Signal, cells_below, cells_read


def spread(window: Window, signal: Signal) -> Signal:
    """Send each cell's signal to all cells of its window; shared cells add up."""
    reach = cells_below(window, signal.shape[1], signal.shape[2])
    below = signal.new_zeros(len(signal), *reach, signal.shape[3])
    for row in range(window.kernel[0]):
        for col in range(window.kernel[1]):
            reached = cells_read(below, window, row, col, signal.shape[1:3])
            reached += signal
    return below


def unpool(window: Window, signal: Signal, switches: UInt8[Tensor, "entry _ _ _"]) -> Signal:
    """Send each pooled cell's signal back to the cell its maximum came from; shared cells add up.

    A switch counts the cells of its own pooling window, row by row.
    """
    if signal.device.type == "cpu" and window.dilation == (1, 1):
        return _unpool_at_once(window, signal, switches)
    return _unpool_by_offset(window, signal, switches)


def _unpool_at_once(
    window: Window, signal: Signal, switches: UInt8[Tensor, "entry _ _ _"]
) -> Signal:
    """The library's adjoint of a max pool. On a GPU its sums run in no fixed order."""
    entries, rows, cols, channels = signal.shape
    reach = cells_below(window, rows, cols)
    below = signal.new_empty(entries, *reach, channels).permute(0, 3, 1, 2)
    filled: Tensor = torch.ops.aten.max_pool2d_with_indices_backward(
        signal.permute(0, 3, 1, 2), below, list(window.kernel), list(window.stride),
        [0, 0], [1, 1], True, _positions(window, switches, reach[1]).permute(0, 3, 1, 2),
    )  # fmt: skip
    return filled.permute(0, 2, 3, 1)


def _positions(
    window: Window, switches: UInt8[Tensor, "entry _ _ _"], width: int
) -> Int64[Tensor, "entry _ _ _"]:
    """Where on a map of `width` columns each switch points, counted row by row."""
    rows, cols = (
        torch.arange(count) * stride
        for count, stride in zip(switches.shape[1:3], window.stride, strict=True)
    )
    place = torch.arange(window.kernel[0] * window.kernel[1])
    place = place // window.kernel[1] * width + place % window.kernel[1]
    corner = (rows[:, None] * width + cols)[:, :, None]
    return place.index_select(0, switches.flatten().int()).view(switches.shape).add_(corner)


def _unpool_by_offset(
    window: Window, signal: Signal, switches: UInt8[Tensor, "entry _ _ _"]
) -> Signal:
    """One addition per position in the pool's window: the same order of sums on any device."""
    reach = cells_below(window, signal.shape[1], signal.shape[2])
    below = signal.new_zeros(len(signal), *reach, signal.shape[3])
    for row in range(window.kernel[0]):
        for col in range(window.kernel[1]):
            chosen = torch.where(switches == row * window.kernel[1] + col, signal, 0.0)
            reached = cells_read(below, window, row, col, signal.shape[1:3])
            reached += chosen
    return below
