"""The slow reference: a whole image, op by op, in double precision, reversed by autograd.

Its forward pass, its pools and its gradients are its own: it shares the description of the network
with the code that it checks, and no more.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float64, Int64
from torch import Tensor
from torch.nn import functional

from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Conv, Curve, Dropout, Linear, LocalResponseNorm, MaxPool, Window

Choices = Mapping[int, Int64[Tensor, "_ _ _"]]
"""By the node of a pool (channel, row, col): which value of a cell's window, row by row, counts
as its maximum."""


class _Rectify(torch.autograd.Function):
    """ReLU whose gradient is rectified too, by its own sign alone (the deconvnet's rule)."""

    @staticmethod
    def forward(_: Any, values: Tensor) -> Tensor:
        """Negative values become 0."""
        return values.clamp(min=0)

    @staticmethod
    def backward(_: Any, signal: Tensor) -> Tensor:
        """Negative signals become 0."""
        return signal.clamp(min=0)


class _PassedBy(torch.autograd.Function):
    """Contrast norm on the way up, nothing on the way down."""

    @staticmethod
    def forward(_: Any, values: Tensor, op: LocalResponseNorm) -> Tensor:
        """Divide by (k + alpha · the sum of squares over neighbouring channels) ** beta."""
        before = op.channels // 2
        padded = functional.pad(values**2, (0, 0, 0, 0, before, op.channels - 1 - before))
        squares = padded.unfold(1, op.channels, 1).sum(dim=-1)
        return values / (op.k + op.alpha * squares) ** op.beta

    @staticmethod
    def backward(_: Any, signal: Tensor) -> tuple[Tensor, None]:
        """The signal itself."""
        return signal, None


@dataclass(frozen=True)
class Passage:
    """One pass up and down."""

    maps: Float64[Tensor, "channel row col"]
    """The layer's activations; 1 × 1 cells in a fully connected layer."""
    projection: Float64[Tensor, "pixel_row pixel_col 3"]
    """Of one unit, on the whole image."""
    windows: Mapping[int, Float64[Tensor, "_ _ _ _"]]
    """By the node of each pool (channel, row, col, value): the values that each maximum was
    taken of; −∞ off the map."""


class Reference:
    """A network's weights in double precision, and the passes through it."""

    def __init__(self, graph: Graph, weights: Mapping[str, Tensor]) -> None:
        self.graph = graph
        self._weights = {name: values.detach().double().cpu() for name, values in weights.items()}

    def __call__(
        self,
        image: Float64[Tensor, "3 row col"],
        layer: str,
        unit: tuple[int, int, int],
        start: float,
        choices: Choices,
    ) -> Passage:
        """Pass an image up to a layer, then `start` down from the unit (channel, row, col).

        Where `choices` names a pool, its choices stand for the maxima; else the first of equal
        values is the maximum.
        """
        windows: dict[int, Tensor] = {}
        with torch.enable_grad():
            pixels = image[None].clone().requires_grad_()
            signal = pixels
            for at in range(1, self.graph.layer(layer).node + 1):
                node = self.graph.nodes[at]
                if isinstance(node.op, MaxPool):
                    windows[at] = _windows(node.op.window, signal)
                    signal = _maxima(windows[at], choices.get(at))
                else:
                    signal = self._apply(node, signal)
            maps = signal[0] if signal.ndim == 4 else signal[0, :, None, None]
            below = torch.autograd.grad(maps[unit], pixels, torch.tensor(start).double())[0]
        kept = {at: values.detach()[0] for at, values in windows.items()}
        return Passage(maps.detach(), below[0].permute(1, 2, 0), kept)

    @torch.no_grad()
    def maps(
        self, image: Float64[Tensor, "3 row col"], layers: Collection[str]
    ) -> dict[str, Float64[Tensor, "channel _ _"]]:
        """An image's activations in some layers."""
        ends = {self.graph.layer(layer).node: layer for layer in layers}
        signal, found = image[None], {}
        for at in range(1, max(ends) + 1):
            node = self.graph.nodes[at]
            if isinstance(node.op, MaxPool):
                signal = _maxima(_windows(node.op.window, signal), None)
            else:
                signal = self._apply(node, signal)
            if layer := ends.get(at):
                found[layer] = signal[0] if signal.ndim == 4 else signal[0, :, None, None]
        return found

    def _apply(self, node: Node, signal: Tensor) -> Tensor:
        match node.op:
            case Conv(window, weight, bias, groups):
                (above, left), (below, right) = window.before, _after(window, signal, node)
                around = functional.pad(signal, (left, right, above, below))
                stride = window.stride
                return functional.conv2d(
                    around, self._weights[weight], self._weights[str(bias)], stride, groups=groups
                )
            case Linear(weight, bias):
                return functional.linear(
                    signal.flatten(1), self._weights[weight], self._weights[str(bias)]
                )
            case Curve():
                return _apply(_Rectify, signal)
            case LocalResponseNorm():
                return _apply(_PassedBy, signal, node.op)
            case Dropout():
                return signal
            case _:
                raise NotImplementedError(node.op)


def _after(window: Window, signal: Tensor, node: Node) -> tuple[int, int]:
    """Zeros below and to the right, so that the windows are as many as the node has cells."""
    rows, cols = (
        (node.shape[1 + axis] - 1) * window.stride[axis]
        + window.kernel[axis]
        - window.before[axis]
        - signal.shape[2 + axis]
        for axis in (0, 1)
    )
    return rows, cols


def _apply(function: type[torch.autograd.Function], *inputs: object) -> Tensor:
    result: Tensor = function.apply(*inputs)
    return result


def _windows(window: Window, signal: Tensor) -> Tensor:
    """The values of each window, row by row; windows that reach past the map are filled with −∞."""
    kernel, stride = window.kernel[0], window.stride[0]
    over = -(signal.shape[3] - kernel) % stride
    filled = functional.pad(signal, (0, over, 0, over), value=-torch.inf)
    return filled.unfold(2, kernel, stride).unfold(3, kernel, stride).flatten(4)


def _maxima(windows: Tensor, choice: Tensor | None) -> Tensor:
    """The chosen value of each window, or the first of its largest ones."""
    chosen = first_maximum(windows.detach()) if choice is None else choice[None]
    return windows.gather(4, chosen[..., None])[..., 0]


def first_maximum(
    windows: Float64[Tensor, "*map value"],
) -> Int64[Tensor, "*map"]:
    """The place of the largest value along the last axis; of equal ones the first. NaN is larger
    than any number."""
    place = torch.arange(windows.shape[-1])
    largest = (windows == windows.amax(dim=-1, keepdim=True)) | windows.isnan()
    return torch.where(largest, place, windows.shape[-1]).amin(dim=-1)
