"""Projections by autograd: any module whose backward pass follows the rules of docs/networks.md.

It meets every function of torch that the module calls, however it is called, and so needs to know
nothing about the module. It shares no code with the projections that an atlas shows.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from pipeline.params import Method

RELUS = frozenset({"relu", "relu6"})
CAPS = {
    "hardtanh": "min_val",
    "clamp": "min",
    "clamp_min": "min",
    "clip": "min",
    "threshold": "threshold",
}
"""Functions that are a ReLU, capped or not, where their lower limit, named here, is 0."""
SMOOTH = frozenset({"silu", "gelu", "hardswish", "mish", "leaky_relu", "elu", "celu", "prelu"})
GATES = frozenset({"sigmoid", "special_expit", "hardsigmoid", "tanh", "softplus"})
"""Curves that a gate ends in; where no product takes what they make, they are as any other."""
PASSED = (
    "View",
    "UnsafeView",
    "ReshapeAlias",
    "Expand",
    "Unsqueeze",
    "Squeeze",
    "Permute",
    "Transpose",
    "TBackward",
    "Alias",
    "Clone",
    "CopyBackwards",
    "Select",
    "Slice",
    "Split",
    "Unbind",
    "Index",
    "UpsampleNearest",
    "UpsampleBilinear",
)
"""Backward steps of what only moves, repeats or enlarges a gate on its way to the product."""
SCALED = tuple(
    f"{step}Backward" for step in ("Mul", "Div", "Neg", "Add", "Sub", "Rsub", "Mm", "Bmm")
)
"""Those of what scales, shifts or resamples it, where all else in them is constant."""
SELF_GATED = {
    "sigmoid": functional.silu,
    "special_expit": functional.silu,
    "hardsigmoid": functional.hardswish,
}
"""What a value times a gate of its own is."""
PRODUCTS = frozenset({"mul", "multiply", "imul"})
QUOTIENTS = frozenset({"div", "divide", "true_divide"})
NORMS: Mapping[str, Callable[..., Any]] = {
    "layer_norm": functional.layer_norm,
    "group_norm": functional.group_norm,
    "instance_norm": functional.instance_norm,
}


class Backward(TorchFunctionMode):
    """While it is entered, backward passes are those of a projection."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, with another backward pass where a rule says so."""
        kwargs, name = dict(kwargs or {}), _name(func)
        if name in RELUS | SMOOTH | GATES or (name in CAPS and _low(name, args, kwargs) == 0):
            return self._curve(func, args, kwargs)
        of_two = [isinstance(arg, Tensor) for arg in args[:2]] == [True, True]
        if name in PRODUCTS and of_two:
            return self._product(func, args, kwargs)
        if name in QUOTIENTS and of_two:
            return func(args[0], args[1].detach(), *args[2:], **kwargs)
        if name in ("max", "maximum") and _is_zero(args[1:]):
            return self._curve(functional.relu, args[:1], {})
        if name == "local_response_norm":
            with torch.no_grad():
                change = func(*args, **kwargs) - args[0]
            return args[0] + change
        if name in NORMS:
            return _norm(func, args, kwargs)
        return func(*args, **kwargs)

    def _curve(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Tensor:
        signal, name = args[0], _name(func)
        in_place = (
            kwargs.pop("inplace", False)
            or any(arg is True for arg in args[1:])
            or getattr(func, "__name__", "").endswith("_")
        )
        with torch.enable_grad():
            given = signal.detach().clone().requires_grad_()
            value = func(given * 1, *args[1:], **kwargs)
            (slope,) = torch.autograd.grad(value.sum(), given)
        if self.method == "deconvnet" and (name in RELUS or name in CAPS):
            slope = torch.ones_like(slope)
        rectifies, gate = self.method != "gradient", name if name in GATES else None
        made: Tensor = _Curve.apply(signal, value.detach(), slope, rectifies, gate)
        return signal.copy_(made) if in_place else made

    def _product(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        """A gate is a constant: what is smaller than the other, or what a sigmoid made."""
        left, right = args[:2]
        for signal, other in ((left, right), (right, left)):
            own = _gate_step(other, PASSED)
            if own is not None and own.gate in SELF_GATED and _made_of(own, signal):
                return self._curve(SELF_GATED[own.gate], (signal,), {})
        gates = [_gate_step(part, PASSED + SCALED) is not None for part in (left, right)]
        if left.numel() != right.numel():
            is_gate = left.numel() < right.numel(), right.numel() < left.numel()
        else:
            is_gate = gates == [True, False], gates[1]
        left, right = (
            part.detach() if gating else part
            for part, gating in zip((left, right), is_gate, strict=True)
        )
        return func(left, right, *args[2:], **kwargs)


class _Curve(torch.autograd.Function):
    """A value given, whose signal goes down times a slope, rectified before if so wanted."""

    @staticmethod
    def forward(
        ctx: Any, signal: Tensor, value: Tensor, slope: Tensor, rectifies: bool, gate: Any
    ) -> Tensor:
        ctx.save_for_backward(slope)
        ctx.rectifies, ctx.gate = rectifies, gate
        return value.clone()  # as it is it would count as a view, which nothing may change in place

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None, None, None]:
        (slope,) = ctx.saved_tensors
        return (above.clamp(min=0) if ctx.rectifies else above) * slope, None, None, None, None


def _name(func: Callable[..., Any]) -> str:
    """Of a function of torch, whether it is a method, works in place or neither."""
    return getattr(func, "__name__", "").strip("_")


def _gate_step(tensor: Tensor, passed: tuple[str, ...]) -> Any:
    """The backward step of the gate's curve that a tensor comes from by some steps, or None."""
    step = tensor.grad_fn
    while step is not None and getattr(step, "gate", None) is None:
        name = step.name().removeprefix("torch::autograd::")
        sources = [source for source, _ in step.next_functions if source]
        if not name.startswith(passed) or (name.startswith(SCALED) and len(sources) > 1):
            return None
        step = sources[-1] if sources else None
    return step


def _made_of(gate: Any, signal: Tensor) -> bool:
    """Whether the gate of a backward step was made of a signal itself."""
    return bool(gate.next_functions[0] == (signal.grad_fn, signal.output_nr))


def _is_zero(others: tuple[Any, ...]) -> bool:
    """Whether what a maximum compares with is a constant of zeros."""
    return len(others) == 1 and isinstance(others[0], Tensor) and not others[0].any()


def _low(name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The lower limit of what may be a ReLU."""
    return args[1] if len(args) > 1 else kwargs.get(CAPS[name])


def _norm(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    """A norm whose signal takes the deviation for a constant."""
    name, signal = _name(func), args[0]
    signature = inspect.signature(NORMS[name])
    known = {key: kwargs[key] for key in kwargs if key in signature.parameters}
    bound = signature.bind(*args[: len(signature.parameters)], **known)
    bound.apply_defaults()
    given = bound.arguments
    weight = given["weight"]
    if name == "layer_norm":
        parts, over = signal, tuple(range(-len(given["normalized_shape"]), 0))
    else:
        groups = given.get("num_groups", signal.shape[1])
        parts, over = signal.reshape(len(signal), groups, -1), (-1,)
        weight = None if weight is None else weight.reshape(-1, *[1] * (signal.ndim - 2))
    deviation = (parts.var(over, unbiased=False, keepdim=True) + given["eps"]).sqrt().detach()
    linear = ((parts - parts.mean(over, keepdim=True)) / deviation).reshape(signal.shape)
    made: Tensor = linear if weight is None else linear * weight
    value: Tensor = made + (func(*args, **kwargs) - made).detach()
    return value
