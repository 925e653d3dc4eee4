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

from pipeline.network.chain import Chain, ContrastNorm, Conv, Dropout, Linear, MaxPool, Op, ReLU

Choices = Mapping[int, Int64[Tensor, "_ _ _"]]
"""By the position of a pool (channel, row, col): which value of a cell's window, row by row, counts
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
    def forward(_: Any, values: Tensor, op: ContrastNorm) -> Tensor:
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
    """By the position of each pool (channel, row, col, value): the values that each maximum was
    taken of; −∞ off the map."""


class Reference:
    """A network's weights in double precision, and the passes through it."""

    def __init__(self, chain: Chain, weights: Mapping[str, Tensor]) -> None:
        self.chain = chain
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
            for at, op in enumerate(self.chain.ops[: self.chain.end(layer)]):
                if isinstance(op, MaxPool):
                    windows[at] = _windows(op, signal)
                    signal = _maxima(windows[at], choices.get(at))
                else:
                    signal = self._apply(op, signal)
            maps = signal[0] if signal.ndim == 4 else signal[0, :, None, None]
            below = torch.autograd.grad(maps[unit], pixels, torch.tensor(start).double())[0]
        kept = {at: values.detach()[0] for at, values in windows.items()}
        return Passage(maps.detach(), below[0].permute(1, 2, 0), kept)

    @torch.no_grad()
    def maps(
        self, image: Float64[Tensor, "3 row col"], layers: Collection[str]
    ) -> dict[str, Float64[Tensor, "channel _ _"]]:
        """An image's activations in some layers."""
        ends = {self.chain.end(layer): layer for layer in layers}
        signal, found = image[None], {}
        for at, op in enumerate(self.chain.ops[: max(ends)]):
            if isinstance(op, MaxPool):
                signal = _maxima(_windows(op, signal), None)
            else:
                signal = self._apply(op, signal)
            if layer := ends.get(at + 1):
                found[layer] = signal[0] if signal.ndim == 4 else signal[0, :, None, None]
        return found

    def _apply(self, op: Op, signal: Tensor) -> Tensor:
        match op:
            case Conv():
                weight, bias = self._weights[f"{op.name}.weight"], self._weights[f"{op.name}.bias"]
                after = op.padding + -(signal.shape[3] + 2 * op.padding - op.kernel) % op.stride
                around = functional.pad(signal, (op.padding, after, op.padding, after))
                return functional.conv2d(around, weight, bias, op.stride, groups=op.groups)
            case Linear():
                weight, bias = self._weights[f"{op.name}.weight"], self._weights[f"{op.name}.bias"]
                return functional.linear(signal.flatten(1), weight, bias)
            case ReLU():
                return _apply(_Rectify, signal)
            case ContrastNorm():
                return _apply(_PassedBy, signal, op)
            case Dropout() | MaxPool():
                return signal


def _apply(function: type[torch.autograd.Function], *inputs: object) -> Tensor:
    result: Tensor = function.apply(*inputs)
    return result


def _windows(op: MaxPool, signal: Tensor) -> Tensor:
    """The values of each window, row by row; windows that reach past the map are filled with −∞."""
    over = -(signal.shape[3] - op.kernel) % op.stride
    filled = functional.pad(signal, (0, over, 0, over), value=-torch.inf)
    return filled.unfold(2, op.kernel, op.stride).unfold(3, op.kernel, op.stride).flatten(4)


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
