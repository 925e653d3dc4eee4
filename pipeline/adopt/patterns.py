"""Sequences of torch's calls that a graph holds as one operation."""

from dataclasses import replace

from pipeline.adopt.trace import Call, Ref, Trace

RESHAPING = ("view", "reshape", "squeeze.dim", "squeeze.dims", "unsqueeze", "clone", "alias")
CURVE_AT_THE_END = ("softmax.int", "log_softmax.int", "_softmax", "_log_softmax", "sigmoid")
SELF_GATED = {"sigmoid": "silu", "hardsigmoid": "hardswish"}


def simplified(trace: Trace) -> Trace:
    """A trace with one call for each pattern, and without a softmax or sigmoid at its end.

    The scores before that curve are what an atlas is made of.
    """
    calls = tuple(_simplified(call, trace) for call in trace.calls)
    return replace(trace, calls=calls, output=_scores(trace))


def _scores(trace: Trace) -> str:
    last = trace.by_name.get(trace.output)
    if last is not None and last.op in CURVE_AT_THE_END and len(last.shape) == 2:
        return str(last.args[0].name)
    return trace.output


def _simplified(call: Call, trace: Trace) -> Call:
    if call.op == "div.Tensor":
        return _local_response_norm(call, trace) or call
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
    steps: dict[str, Call] = {}
    at = _made_by(call.args[1], trace)
    for op in ("pow.Tensor_Scalar", "add.Tensor", "mul.Tensor", "avg_pool3d", "pad", "mul.Tensor"):
        while at is not None and at.op in RESHAPING:
            at = _made_by(at.args[0], trace)
        if at is None or at.op != op:
            return None
        steps[f"{op}{len(steps)}"] = at
        at = _made_by(at.args[0], trace)
    power, plus, times, mean, pad, square = steps.values()
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


def _made_by(value: object, trace: Trace) -> Call | None:
    return trace.by_name.get(value.name) if isinstance(value, Ref) else None
