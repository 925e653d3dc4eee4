"""Operations of a network, each with the facts that follow from its own definition.

Weights are named, not held: a name is a key of the network's state dict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.network.window import Pair, Window

Shape = tuple[int, int, int]
"""Channels, rows and columns of a map; a vector of features is a map of one cell."""
Tensors = Mapping[str, tuple[int, ...]]
"""Shapes of weights, by name."""


class _Weightless:
    """An operation without weights."""

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        return {}


@dataclass(frozen=True)
class Input(_Weightless):
    """Normalised pixels."""


@dataclass(frozen=True)
class Conv:
    """A convolution with zeros as padding."""

    window: Window
    weight: str
    """(out, in per group, row, col)."""
    bias: str | None = None
    groups: int = 1

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        weight = (above[0], below[0][0] // self.groups, *self.window.kernel)
        return {self.weight: weight} | _optional(self.bias, above[0])


@dataclass(frozen=True)
class Linear:
    """A fully connected layer: of a whole map, flattened as (channel, row, col), or of each cell's
    channels."""

    weight: str
    """(out, in)."""
    bias: str | None = None
    per_cell: bool = False

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        channels, rows, cols = below[0]
        features = channels if self.per_cell else channels * rows * cols
        return {self.weight: (above[0], features)} | _optional(self.bias, above[0])


@dataclass(frozen=True)
class BatchNorm:
    """(x − mean) / √(variance + epsilon) · weight + bias, by channel, with fixed statistics."""

    mean: str
    variance: str
    weight: str | None
    bias: str | None
    epsilon: float

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        given = {self.mean: (above[0],), self.variance: (above[0],)}
        return given | _optional(self.weight, above[0]) | _optional(self.bias, above[0])


@dataclass(frozen=True)
class Scale:
    """x · factor + shift, by channel."""

    factor: str | None
    shift: str | None

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        return {**_optional(self.factor, above[0]), **_optional(self.shift, above[0])}


CurveKind = Literal[
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "silu",
    "gelu",
    "gelu_tanh",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
    "softplus",
    "mish",
]


@dataclass(frozen=True)
class Curve(_Weightless):
    """An activation function."""

    kind: CurveKind
    slope: float = 0.0
    """Of a leaky ReLU below 0; of an ELU, its limit far below 0, negated."""

    @property
    def rectifies(self) -> bool:
        """Whether it is a ReLU, capped or not."""
        return self.kind in ("relu", "relu6")

    @property
    def never_negative(self) -> bool:
        """Whether no value of it is below 0."""
        return self.rectifies or self.kind in ("sigmoid", "hardsigmoid", "softplus")


@dataclass(frozen=True)
class MaxPool(_Weightless):
    """The maximum of each window; cells off the map do not count."""

    window: Window


@dataclass(frozen=True)
class MeanPool(_Weightless):
    """The sum of each window, divided by a number of cells that depends on where it is."""

    window: Window
    counts_padding: bool = True
    """Whether the padding `before`, and as much after, counts as cells; what windows reach beyond
    that never does."""
    divisor: int | None = None
    """Used instead of the number of cells."""

    def shares(self, axis: int, size: int, cells: int) -> list[float]:
        """The factor of each output cell along one axis; a cell's own is the product of two."""
        if self.divisor is not None:
            return [1 / self.divisor if axis == 0 else 1.0] * cells
        window, counted = self.window, []
        padding = window.before[axis] if self.counts_padding else 0
        for cell in range(cells):
            first = cell * window.stride[axis] - window.before[axis]
            last = min(first + window.extent[axis], size + padding)
            counted.append(1 / (last - max(first, -padding)))
        return counted


@dataclass(frozen=True)
class Resample(_Weightless):
    """Another number of cells: adaptive and global means, or enlargement; a matrix along each axis.

    A unit above it sees the whole map.
    """

    kind: Literal["mean", "nearest", "nearest_exact", "linear", "linear_corners"]
    factor: tuple[float, float] | None = None
    """By which positions along rows and columns grow; None: the ratio of the sizes."""


@dataclass(frozen=True)
class Add(_Weightless):
    """The sum of maps of one shape."""


@dataclass(frozen=True)
class Mul(_Weightless):
    """The product of a map, the first input, and a gate, which has as many channels or one, and as
    many cells or one."""


@dataclass(frozen=True)
class Cat(_Weightless):
    """The channels of all inputs, in order."""


@dataclass(frozen=True)
class Select(_Weightless):
    """Some channels, in this order; a channel may come twice."""

    channels: tuple[int, ...]


@dataclass(frozen=True)
class LocalResponseNorm(_Weightless):
    """Division by (k + alpha · the sum of squares over neighbouring channels) ** beta."""

    channels: int
    alpha: float
    beta: float
    k: float


@dataclass(frozen=True)
class ChannelNorm:
    """Each cell's channels, centred and divided by their deviation; then a factor and a shift."""

    weight: str | None
    bias: str | None
    epsilon: float

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        return {**_optional(self.weight, above[0]), **_optional(self.bias, above[0])}


@dataclass(frozen=True)
class MapNorm:
    """The same over all cells of a group of channels (group and instance norm)."""

    groups: int
    weight: str | None
    bias: str | None
    epsilon: float

    def tensors(self, above: Shape, below: Sequence[Shape]) -> Tensors:
        """Shapes of the weights, by name."""
        return {**_optional(self.weight, above[0]), **_optional(self.bias, above[0])}


@dataclass(frozen=True)
class Pad(_Weightless):
    """A border of one value; a negative one cuts cells off. What is added below and to the right
    follows from the size of the output."""

    before: Pair
    value: float = 0.0


@dataclass(frozen=True)
class Dropout(_Weightless):
    """Each feature is dropped with this probability in training, and kept otherwise."""

    probability: float


Op = (
    Input
    | Conv
    | Linear
    | BatchNorm
    | Scale
    | Curve
    | MaxPool
    | MeanPool
    | Resample
    | Add
    | Mul
    | Cat
    | Select
    | LocalResponseNorm
    | ChannelNorm
    | MapNorm
    | Pad
    | Dropout
)


def _optional(name: str | None, channels: int) -> dict[str, tuple[int, ...]]:
    return {} if name is None else {name: (channels,)}
