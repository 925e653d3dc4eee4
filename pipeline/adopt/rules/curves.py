"""Activation functions: they work cell by cell."""

import math
from typing import Any

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.reading import Constant, Reading, Value
from pipeline.adopt.rules.registry import rule
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import Curve, CurveKind, Op

CURVES: dict[str, CurveKind] = {
    "relu": "relu",
    "relu6": "relu6",
    "silu": "silu",
    "hardswish": "hardswish",
    "hardsigmoid": "hardsigmoid",
    "sigmoid": "sigmoid",
    "special_expit": "sigmoid",
    "tanh": "tanh",
    "mish": "mish",
}


@rule(*CURVES)
def _curve(reading: Reading, call: Call, args: list[Any]) -> Value:
    return _apply(reading, call, args[0], Curve(CURVES[call.op]))


@rule("hardtanh", "clamp", "clamp_min", "clip")
def _clamp(reading: Reading, call: Call, args: list[Any]) -> Value:
    low, high = (*args[1:3], None, None)[:2]
    if low == 0 and high in (None, math.inf):
        return _apply(reading, call, args[0], Curve("relu"))
    if low == 0 and high == 6:
        return _apply(reading, call, args[0], Curve("relu6"))
    raise UnreadableError(f"{call.place} between {low} and {high}; 0 and 6 are read.")


@rule("threshold")
def _threshold(reading: Reading, call: Call, args: list[Any]) -> Value:
    if tuple(args[1:]) != (0, 0):
        raise UnreadableError(f"{call.place} from {args[1]} to {args[2]}; 0 and 0 are read.")
    return _apply(reading, call, args[0], Curve("relu"))


@rule("max.other", "maximum")
def _maximum(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, other = args if isinstance(args[0], Arrangement) else args[::-1]
    if not isinstance(other, Constant) or other.tensor.any():
        raise UnreadableError(f"{call.place} with something else than 0.")
    return _apply(reading, call, tensor, Curve("relu"))


@rule("celu")
def _celu(reading: Reading, call: Call, args: list[Any]) -> Value:
    if args[1] != 1:
        raise UnreadableError(f"{call.place} with alpha {args[1]}; 1 is read.")
    return _apply(reading, call, args[0], Curve("elu", 1.0))


@rule("leaky_relu", "elu")
def _sloped(reading: Reading, call: Call, args: list[Any]) -> Value:
    if any(factor != 1 for factor in args[2:]):
        raise UnreadableError(f"{call.place} with other factors than 1.")
    kind: CurveKind = "elu" if call.op == "elu" else "leaky_relu"
    return _apply(reading, call, args[0], Curve(kind, float(args[1])))


@rule("prelu")
def _prelu(reading: Reading, call: Call, args: list[Any]) -> Value:
    slopes = args[1].tensor.unique()
    if len(slopes) != 1:
        raise UnreadableError(f"{call.place} with a slope for each channel.")
    return _apply(reading, call, args[0], Curve("leaky_relu", float(slopes[0])))


@rule("gelu")
def _gelu(reading: Reading, call: Call, args: list[Any]) -> Value:
    kind: CurveKind = "gelu" if args[1] == "none" else "gelu_tanh"
    return _apply(reading, call, args[0], Curve(kind))


@rule("softplus")
def _softplus(reading: Reading, call: Call, args: list[Any]) -> Value:
    if args[1] != 1:
        raise UnreadableError(f"{call.place} with beta {args[1]}; 1 is read.")
    return _apply(reading, call, args[0], Curve("softplus"))


def _apply(reading: Reading, call: Call, tensor: Arrangement, op: Op) -> Arrangement:
    """An operation that works cell by cell, and so on any arrangement."""
    return reading.over(op, reading.whole(tensor, call), call.path)
