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

RELUS = frozenset(
    {functional.relu, torch.relu, torch.relu_, Tensor.relu, Tensor.relu_, functional.relu6}
)
CAPS = frozenset(
    {functional.hardtanh, torch.clamp, Tensor.clamp, torch.clamp_min, Tensor.clamp_min}
)
SMOOTH = frozenset(
    {
        functional.silu,
        functional.gelu,
        functional.hardswish,
        functional.mish,
        functional.leaky_relu,
        functional.elu,
        functional.prelu,
        torch.prelu,
    }
)
GATES = frozenset(
    {
        torch.sigmoid,
        torch.sigmoid_,
        Tensor.sigmoid,
        Tensor.sigmoid_,
        functional.hardsigmoid,
        torch.tanh,
        torch.tanh_,
        Tensor.tanh,
        Tensor.tanh_,
        functional.softplus,
    }
)
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
SELF_GATED = {functional.hardsigmoid: functional.hardswish} | dict.fromkeys(
    (torch.sigmoid, torch.sigmoid_, Tensor.sigmoid, Tensor.sigmoid_), functional.silu
)
"""What a value times a gate of its own is."""
PRODUCTS = frozenset({torch.mul, Tensor.mul, Tensor.mul_, Tensor.__mul__, Tensor.__imul__})


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
        kwargs = dict(kwargs or {})
        if func in RELUS or (func in CAPS and _low(func, args, kwargs) == 0):
            return self._curve(func, args, kwargs)
        if func in SMOOTH or func in GATES:
            return self._curve(func, args, kwargs)
        if func in PRODUCTS and all(isinstance(arg, Tensor) for arg in args[:2]):
            return self._product(func, args, kwargs)
        if func is functional.local_response_norm:
            with torch.no_grad():
                change = func(*args, **kwargs) - args[0]
            return args[0] + change
        if func in (functional.layer_norm, functional.group_norm, functional.instance_norm):
            return _norm(func, args, kwargs)
        return func(*args, **kwargs)

    def _curve(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Tensor:
        signal = args[0]
        in_place = (
            kwargs.pop("inplace", False)
            or any(arg is True for arg in args[1:])
            or getattr(func, "__name__", "").endswith("_")
        )
        with torch.enable_grad():
            given = signal.detach().clone().requires_grad_()
            value = func(given * 1, *args[1:], **kwargs)
            (slope,) = torch.autograd.grad(value.sum(), given)
        if self.method == "deconvnet" and (func in RELUS or func in CAPS):
            slope = torch.ones_like(slope)
        rectifies, gate = self.method != "gradient", func if func in GATES else None
        made: Tensor = _Curve.apply(signal, value.detach(), slope, rectifies, gate)
        return signal.copy_(made) if in_place else made

    def _product(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        """A gate is a constant: what is smaller than the other, or what a sigmoid made."""
        left, right = args[:2]
        gates = _gate_step(left), _gate_step(right)
        for signal, gate in ((left, gates[1]), (right, gates[0])):
            if gate is not None and gate.gate in SELF_GATED and _made_of(gate, signal):
                return self._curve(SELF_GATED[gate.gate], (signal,), {})
        if left.numel() != right.numel():
            is_gate = left.numel() < right.numel(), right.numel() < left.numel()
        else:
            is_gate = gates[1] is None and gates[0] is not None, gates[1] is not None
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


def _gate_step(tensor: Tensor) -> Any:
    """The backward step of the gate's curve that a tensor comes from; None where it does not."""
    step = tensor.grad_fn
    while step is not None and getattr(step, "gate", None) is None:
        if not step.name().startswith(PASSED):
            return None
        step = step.next_functions[-1][0]
    return step


def _made_of(gate: Any, signal: Tensor) -> bool:
    """Whether the gate of a backward step was made of a signal itself."""
    return bool(gate.next_functions[0] == (signal.grad_fn, signal.output_nr))


def _low(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """The lower limit of a clamp or a hard tanh."""
    name = "min_val" if func is functional.hardtanh else "min"
    return args[1] if len(args) > 1 else kwargs.get(name)


def _norm(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor:
    """A norm whose signal takes the deviation for a constant."""
    bound = inspect.signature(func).bind(*args, **kwargs)
    bound.apply_defaults()
    given, signal = bound.arguments, args[0]
    weight = given["weight"]
    if func is functional.layer_norm:
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
