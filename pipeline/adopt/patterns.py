"""Sequences of torch's calls that a graph holds as one operation."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.adopt.trace import Call, Ref, Trace

RESHAPING = ("view", "reshape", "squeeze.dim", "squeeze.dims", "unsqueeze", "clone", "alias")
CURVE_AT_THE_END = ("softmax.int", "log_softmax.int", "_softmax", "_log_softmax", "sigmoid")
SELF_GATED = {"sigmoid": "silu", "hardsigmoid": "hardswish"}


def simplified(trace: Trace) -> Trace:
    """A trace with one call for each pattern, and without a softmax or sigmoid at its end.

    The scores before that curve are what an atlas is made of.
    """
    last = _curve_at_the_end(trace)
    calls = [_passing(call) if call is last else _simplified(call, trace) for call in trace.calls]
    return replace(trace, calls=tuple(calls))


def _curve_at_the_end(trace: Trace) -> Call | None:
    """The softmax over the channels, or the sigmoid, after which entries are moved at most."""
    at = trace.by_name.get(trace.output)
    while at is not None and at.op in (*RESHAPING, "flatten.using_ints"):
        at = _made_by(at.args[0], trace)
    if at is None or at.op not in CURVE_AT_THE_END:
        return None
    channels = min(1, len(at.shape) - 1)  # of a squeezed vector the only axis
    over_channels = at.op == "sigmoid" or at.args[1] % len(at.shape) == channels
    return at if over_channels else None


def _passing(call: Call) -> Call:
    """A call that passes on what it is given."""
    return replace(call, op="_to_copy", args=call.args[:1], keywords=())


def _simplified(call: Call, trace: Trace) -> Call:
    if call.op == "div.Tensor":
        return _local_response_norm(call, trace) or _channel_norm(call, trace) or call
    if call.op == "mul.Tensor":
        return _self_gated(call, trace) or call
    return call


def _self_gated(call: Call, trace: Trace) -> Call | None:
    """x · sigmoid(x) is a SiLU, x · hardsigmoid(x) a hardswish."""
    for value, gate in (call.args[:2], call.args[1::-1]):
        curve = _made_by(gate, trace)
        if curve is not None and curve.op in SELF_GATED and curve.args[0] == value:
            return replace(call, op=SELF_GATED[curve.op], args=(value,), keywords=())
    return None


def _local_response_norm(call: Call, trace: Trace) -> Call | None:
    """x / (k + alpha · mean of x² over n channels) ** beta, as `torch.nn.functional` spells it."""
    value = call.args[0]
    steps = _steps(
        call.args[1],
        ("pow.Tensor_Scalar", "add.Tensor", "mul.Tensor", "avg_pool3d", "pad", "mul.Tensor"),
        trace,
    )
    if steps is None:
        return None
    power, plus, times, mean, pad, square = steps
    channels = mean.args[1][0]
    centred = [0, 0, 0, 0, channels // 2, (channels - 1) // 2]
    numbers = (plus.args[1], times.args[1], power.args[1])
    if (
        square.args[:2] != (value, value)
        or list(pad.args[1]) != centred
        or list(mean.args[1]) != [channels, 1, 1]
        or not all(isinstance(number, int | float) for number in numbers)
    ):
        return None
    k, alpha, beta = numbers
    args = (value, channels, alpha / channels, beta, k)
    return replace(call, op="local_response_norm", args=args, keywords=())


def _channel_norm(call: Call, trace: Trace) -> Call | None:
    """(x - m) / sqrt(mean of (x - m)² + epsilon), both means over the channels of each cell."""
    centred = _steps(call.args[0], ("sub.Tensor",), trace)
    steps = _steps(
        call.args[1], ("sqrt", "add.Tensor", "mean.dim", "pow.Tensor_Scalar", "sub.Tensor"), trace
    )
    if centred is None or steps is None:
        return None
    _, plus, mean, power, difference = steps
    value, middle, _ = difference.args
    over = _made_by(middle, trace)
    if (
        centred[0].args != difference.args
        or over is None
        or (over.op, over.args[0]) != (mean.op, value)
        or not all(list(m.args[1]) == [1] and m.args[2] and len(m.shape) == 4 for m in (over, mean))
        or power.args[1] != 2
        or not isinstance(plus.args[1], int | float)
    ):
        return None
    return replace(call, op="channel_norm", args=(value, plus.args[1]), keywords=())


def _steps(value: object, ops: Sequence[str], trace: Trace) -> list[Call] | None:
    """The calls of these operations that make a value, last first, each of the first argument of
    the one before, reshaped or not; None where others make it."""
    steps: list[Call] = []
    for op in ops:
        at = _made_by(value, trace)
        while at is not None and at.op in RESHAPING:
            at = _made_by(at.args[0], trace)
        if at is None or at.op != op:
            return None
        steps.append(at)
        value = at.args[0]
    return steps


def _made_by(value: object, trace: Trace) -> Call | None:
    return trace.by_name.get(value.name) if isinstance(value, Ref) else None
