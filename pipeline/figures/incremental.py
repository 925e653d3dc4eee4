"""The forward pass of an image of which one patch changes: only what the patch can reach.

Exact up to rounding: a cell is computed again, by the same operation, if the patch can alter it;
otherwise it is the unchanged image's (incremental inference: Nakandala et al., SIGMOD 2019).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import assert_never

import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional

from pipeline.figures.reach import Reach, Read, above, axis_reach, hull, read_by, whole
from pipeline.network.functions import Maps, mean_shares, window_sums
from pipeline.network.kernels import Step, convolution
from pipeline.network.lrn import local_response_norm
from pipeline.network.module import Network, walk
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    Dropout,
    Input,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Pad,
    Resample,
    Scale,
    Select,
)
from pipeline.network.window import Pair, Window

Sliding = Conv | MaxPool | MeanPool | Pad
"""Operations whose outputs read a window each; of a border, a window of one cell."""


@dataclass(frozen=True)
class Changed:
    """A map of the changed images: these values in the windows, the unchanged image's elsewhere."""

    values: Float[Tensor, "place channel row col"]
    reach: Reach


class IncrementalForward:
    """A network and one image, on which a patch is then put at any number of places.

    Not for a network that can give NaN or overflow: the norm would spread them.
    """

    def __init__(
        self, network: Network, image: Float[Tensor, "1 channel row col"], wanted: Collection[int]
    ) -> None:
        self._network, self._graph = network, network.graph
        self._wanted = tuple(wanted)
        self._convolutions: dict[int, Step] = {}
        with torch.inference_mode():
            steps = walk(network.graph, wanted, network.apply_node, image)
            self._maps = {node: maps[0] for node, maps in steps}

    def unchanged(self, node: int) -> Float[Tensor, "channel row col"]:
        """A map of the image itself."""
        return self._maps[node]

    @torch.inference_mode()
    def __call__(
        self,
        corner: Int64[Tensor, "place 2"],
        patches: Float[Tensor, "place channel patch_row patch_col"],
    ) -> dict[int, Changed]:
        """The wanted maps with one patch of normalised pixels on the image, place by place.

        A patch's top left pixel is at its (row, col) `corner`; it must be inside the image.
        """
        rows, cols = (
            axis_reach(corner[:, axis], patches.shape[axis + 2], self._graph.input[axis + 1])
            for axis in (0, 1)
        )
        held = {0: Changed(patches, (rows, cols))}
        for node in sorted(self._maps.keys() - {0}):
            below = self._graph.nodes[node].inputs
            held[node] = self._apply(node, [held[feeding] for feeding in below])
        return {node: held[node] for node in self._wanted}

    def whole(self, node: int, changed: Changed) -> Maps:
        """Whole maps of the changed images."""
        rows, cols = changed.reach
        if rows.whole and cols.whole:
            return changed.values
        return self._read(node, changed, (rows.to_map(), cols.to_map()), (0, 0), 0.0)

    def _apply(self, node: int, below: Sequence[Changed]) -> Changed:
        op = self._graph.nodes[node].op
        match op:
            case Conv() | MaxPool() | MeanPool() | Pad():
                return self._slide(node, op, below[0])
            case Add() | Cat() | Mul():
                return self._join(node, below)
            case LocalResponseNorm():
                return Changed(local_response_norm(op, below[0].values), below[0].reach)
            case Curve() | BatchNorm() | Scale() | Select() | ChannelNorm() | Dropout():
                return self._same_cells(node, below, below[0].reach)
            case Linear() if op.per_cell:
                return self._same_cells(node, below, below[0].reach)
            case Linear() | Resample() | MapNorm():
                return self._on_whole_maps(node, below)
            case Input():
                raise AssertionError("the input has no inputs")
            case _:
                assert_never(op)

    def _same_cells(self, node: int, below: Sequence[Changed], reach: Reach) -> Changed:
        values = [changed.values for changed in below]
        return Changed(self._network.apply_node(node, values), reach)

    def _on_whole_maps(self, node: int, below: Sequence[Changed]) -> Changed:
        inputs = self._graph.nodes[node].inputs
        maps = [self.whole(at, changed) for at, changed in zip(inputs, below, strict=True)]
        rows, cols = (
            whole(below[0].reach[axis].first, self._graph.nodes[node].shape[axis + 1])
            for axis in (0, 1)
        )
        return Changed(self._network.apply_node(node, maps), (rows, cols))

    def _slide(self, node: int, op: Sliding, below: Changed) -> Changed:
        """The outputs whose window holds a cell that the patch can alter."""
        shape, window = self._graph.nodes[node].shape, _window(op)
        rows, cols = (above(window, axis, below.reach[axis], shape[axis + 1]) for axis in (0, 1))
        if rows.whole and cols.whole:
            return self._on_whole_maps(node, [below])
        feeding = self._graph.nodes[node].inputs[0]
        read = read_by(window, 0, rows), read_by(window, 1, cols)
        patch = self._read(feeding, below, read, window.before, _off_map(op))
        return Changed(self._slid(node, op, patch, (rows, cols)), (rows, cols))

    def _slid(self, node: int, op: Sliding, patch: Maps, reach: Reach) -> Maps:
        """The outputs within reach, of the cells that they read."""
        match op:
            case Conv():
                return self._convolve(node, op, patch)
            case MaxPool():
                window = op.window
                return functional.max_pool2d(
                    patch, window.kernel, window.stride, dilation=window.dilation
                )
            case MeanPool():
                (below,), made = self._graph.below(node), self._graph.nodes[node].shape
                shares = mean_shares(op, below[1:], made[1:], patch)
                rows, cols = (
                    share[axis.indices()] for share, axis in zip(shares, reach, strict=True)
                )
                sums = window_sums(op.window, patch, (0, 0))
                return sums * rows[:, None, :, None] * cols[:, None, None]
            case Pad():
                return patch
            case _:
                assert_never(op)

    def _convolve(self, node: int, op: Conv, patch: Maps) -> Maps:
        if node not in self._convolutions:
            weight = self._network.tensor(op.weight)
            bias = None if op.bias is None else self._network.tensor(op.bias)
            step = convolution(op, None, weight, bias, rectify=False, fuse=True)
            self._convolutions[node] = step
        return self._convolutions[node](patch)

    def _join(self, node: int, below: Sequence[Changed]) -> Changed:
        """A sum, product or concatenation: on windows that hold those of all inputs."""
        shape = self._graph.nodes[node].shape
        inputs = self._graph.nodes[node].inputs
        if any(self._graph.nodes[feeding].shape[1:] != shape[1:] for feeding in inputs):
            return self._on_whole_maps(node, below)
        rows, cols = below[0].reach
        for changed in below[1:]:
            rows, cols = hull(rows, changed.reach[0]), hull(cols, changed.reach[1])
        read = (rows.first, rows.size), (cols.first, cols.size)
        values = [
            self._read(feeding, changed, read, (0, 0), 0.0)
            for feeding, changed in zip(inputs, below, strict=True)
        ]
        return Changed(self._network.apply_node(node, values), (rows, cols))

    def _read(
        self,
        node: int,
        changed: Changed,
        read: tuple[Read, Read],
        before: Pair,
        off_map: float,
    ) -> Maps:
        """Windows of the changed maps of a node, from `read`'s first cells on, border included."""
        base = self._bordered(node, read, before, off_map)
        (first_row, rows), (first_col, cols) = read
        corners = (torch.stack([first_row, first_col], dim=1) + torch.tensor(before)).tolist()
        patch = torch.stack([base[r : r + rows, c : c + cols] for r, c in corners])
        values = changed.values.permute(0, 2, 3, 1)
        shifts = zip(
            (changed.reach[0].first - first_row).tolist(),
            (changed.reach[1].first - first_col).tolist(),
            strict=True,
        )
        for place, (down, right) in enumerate(shifts):
            to_row, from_row = _overlap(down, values.shape[1], rows)
            to_col, from_col = _overlap(right, values.shape[2], cols)
            patch[place, to_row, to_col] = values[place, from_row, from_col]
        return patch.permute(0, 3, 1, 2)

    def _bordered(
        self,
        node: int,
        read: tuple[Read, Read],
        before: Pair,
        off_map: float,
    ) -> Float[Tensor, "row col channel"]:
        """The unchanged map, channels last, with the border that the windows reach into."""
        maps = self._maps[node]
        below, right = (
            max(0, int(first.max()) + count - size)
            for (first, count), size in zip(read, maps.shape[1:], strict=True)
        )
        around = (before[1], right, before[0], below)
        return functional.pad(maps, around, value=off_map).permute(1, 2, 0).contiguous()


def _window(op: Sliding) -> Window:
    return Window((1, 1), before=op.before) if isinstance(op, Pad) else op.window


def _off_map(op: Sliding) -> float:
    """The value of cells off the map."""
    if isinstance(op, Pad):
        return op.value
    return -torch.inf if isinstance(op, MaxPool) else 0.0


def _overlap(shift: int, size: int, cells: int) -> tuple[slice, slice]:
    """Where `size` values that begin at `shift` fall among so many cells: the cells, the values."""
    start, stop = max(0, shift), min(cells, shift + size)
    return slice(start, max(start, stop)), slice(start - shift, max(start, stop) - shift)
