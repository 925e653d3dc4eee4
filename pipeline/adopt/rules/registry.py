"""The registry of rules by operation of torch, and what rules share."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from pipeline.adopt.reading import Constant, Reading, Value
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import Shape
from pipeline.network.window import Pair

Rule = Callable[[Reading, Call, list[Any]], Value]
RULES: dict[str, Rule] = {}
"""By operation, as `Call.op` names it."""


def rule(*ops: str) -> Callable[[Rule], Rule]:
    """Register a rule for some operations."""

    def register(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, function))
        return function

    return register


def kept(reading: Reading, call: Call, constant: object, kind: str) -> str | None:
    if constant is None:
        return None
    return reading.keep_constant(as_constant(call, constant), call, kind)


def as_constant(call: Call, value: object) -> Constant:
    if not isinstance(value, Constant):
        raise UnreadableError(f"{call.place} with weights that depend on the image.")
    return value


def as_tensor(value: Constant | float | int) -> Tensor:
    return value.exact if isinstance(value, Constant) else number(value)


def number(value: float | int) -> Tensor:
    """A number of the network's code as a constant."""
    return torch.tensor(value, dtype=torch.float64)


def as_pair(numbers: Sequence[int] | int) -> Pair:
    """Along rows and columns; one number stands for both."""
    if isinstance(numbers, int):
        return numbers, numbers
    return numbers[0], numbers[-1]


def map_shape(call: Call) -> Shape:
    """The shape of a call's result as a map."""
    channels, rows, cols = call.shape[-3:]
    return channels, rows, cols
