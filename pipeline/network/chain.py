"""The description of a network: an ordered chain of operations on square maps."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.errors import AtlasError


@dataclass(frozen=True)
class Conv:
    """A convolution in cuda-convnet's geometry (see `window_count`): zeros on the right and bottom
    complete the last window."""

    name: str
    in_channels: int
    out_channels: int
    kernel: int
    stride: int = 1
    padding: int = 0
    groups: int = 1


@dataclass(frozen=True)
class ReLU:
    """Negative values become 0."""


@dataclass(frozen=True)
class MaxPool:
    """The maximum of each window; the last window may reach past the map."""

    kernel: int
    stride: int


@dataclass(frozen=True)
class ContrastNorm:
    """Division by (k + alpha · the sum of squares over neighbouring channels) ** beta."""

    channels: int
    alpha: float
    beta: float
    k: float


@dataclass(frozen=True)
class Dropout:
    """Each feature is dropped with this probability in training, and kept otherwise."""

    probability: float


@dataclass(frozen=True)
class Linear:
    """A fully connected layer; it flattens maps in (channel, row, col) order."""

    name: str
    in_features: int
    out_features: int


Op = Conv | ReLU | MaxPool | ContrastNorm | Dropout | Linear


def window_count(size: int, kernel: int, stride: int, padding: int = 0) -> int:
    """Windows along one axis by the cuda-convnet rule: the last may reach out."""
    return 1 + math.ceil((size + 2 * padding - kernel) / stride)


@dataclass(frozen=True)
class Chain:
    """A network as an ordered chain of operations, for one size of input.

    A *layer* is a conv or linear operation; its activation is taken after the ReLU that follows
    it, before any pool or norm, or directly where no ReLU follows (class scores).
    """

    input_px: int
    input_channels: int
    ops: tuple[Op, ...]

    def __post_init__(self) -> None:
        for op, size in zip(self.ops, self.sizes, strict=True):
            if size < 1:
                raise AtlasError(
                    f"An input of {self.input_px} pixels is too small: nothing is left after {op}.",
                    fix="Raise data.crop.",
                )

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Side of the map after each operation; 1 from the first linear one on."""
        sizes: list[int] = []
        size = self.input_px
        for op in self.ops:
            match op:
                case Conv():
                    size = window_count(size, op.kernel, op.stride, op.padding)
                case MaxPool():
                    size = window_count(size, op.kernel, op.stride)
                case Linear():
                    size = 1
                case ReLU() | ContrastNorm() | Dropout():
                    pass
            sizes.append(size)
        return tuple(sizes)

    def weighted(self) -> Iterator[tuple[int, Conv | Linear]]:
        """Positions and operations that have weights, in order."""
        for position, op in enumerate(self.ops):
            if isinstance(op, Conv | Linear):
                yield position, op

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the layers, in order."""
        return tuple(op.name for _, op in self.weighted())

    @cached_property
    def conv_layers(self) -> tuple[str, ...]:
        """Names of the convolutional layers, in order."""
        return tuple(op.name for _, op in self.weighted() if isinstance(op, Conv))

    def op(self, layer: str) -> Conv | Linear:
        """The operation that a layer is named after. Raises AtlasError for an unknown name."""
        return self._find(layer)[1]

    def position(self, layer: str) -> int:
        """Position of a layer's own operation in `ops`."""
        return self._find(layer)[0]

    def end(self, layer: str) -> int:
        """Position just past the operation whose output is the layer's activation (its ReLU)."""
        after = self.position(layer) + 1
        rectified = after < len(self.ops) and isinstance(self.ops[after], ReLU)
        return after + 1 if rectified else after

    def channels(self, layer: str) -> int:
        """Channels of a conv layer, features of a linear one."""
        op = self.op(layer)
        return op.out_channels if isinstance(op, Conv) else op.out_features

    def map_size(self, layer: str) -> int:
        """Side of a layer's map in cells."""
        return self.sizes[self.position(layer)]

    def _find(self, layer: str) -> tuple[int, Conv | Linear]:
        for position, op in self.weighted():
            if op.name == layer:
                return position, op
        raise AtlasError(
            f"The network has no layer {layer!r}; it has {', '.join(self.layers)}.",
            fix="Mend the layer's name.",
        )
