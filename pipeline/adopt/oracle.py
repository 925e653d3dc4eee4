"""Projections by autograd: any module whose backward pass follows the rules of docs/networks.md.

It meets every function of torch that the module calls, however it is called, and so needs to know
nothing about the module. It shares no code with the projections that an atlas shows.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional
from torch.overrides import TorchFunctionMode

Method = Literal["deconvnet", "guided"]

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
    {torch.sigmoid, Tensor.sigmoid, Tensor.sigmoid_, functional.sigmoid, functional.hardsigmoid}
)
PRODUCTS = frozenset({torch.mul, Tensor.mul, Tensor.mul_, Tensor.__mul__, Tensor.__imul__})


class Backward(TorchFunctionMode):
    """While it is entered, backward passes are those of a projection."""

    def __init__(self, method: Method) -> None:
        super().__init__()
        self.method = method
        self.gated: dict[int, tuple[Tensor, Tensor]] = {}
        """What a sigmoid made and of what, by the identity of what it made."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, with another backward pass where a rule says so."""
        kwargs = dict(kwargs or {})
        if func in RELUS or (func in CAPS and _low(func, args, kwargs) == 0) or func in SMOOTH:
            return self._curve(func, args, kwargs)
        if func in GATES:
            made = func(*args, **kwargs)
            self.gated[id(made)] = (made, args[0])
            return made
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
        in_place = kwargs.pop("inplace", False) or getattr(func, "__name__", "").endswith("_")
        with torch.enable_grad():
            given = signal.detach().clone().requires_grad_()
            value = func(given * 1, *args[1:], **kwargs)
            (slope,) = torch.autograd.grad(value.sum(), given)
        if self.method == "deconvnet" and func not in SMOOTH:
            slope = torch.ones_like(slope)
        made: Tensor = _Rectified.apply(signal, value.detach(), slope, in_place)
        return made

    def _product(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Any) -> Any:
        """A gate is a constant: what is smaller than the other, or what a sigmoid made."""
        left, right = args[:2]
        for signal, gate in ((left, right), (right, left)):
            if id(gate) in self.gated and self.gated[id(gate)][1] is signal:
                return self._curve(functional.silu, (signal,), {})
        if left.numel() != right.numel():
            if left.numel() < right.numel():
                left = left.detach()
            else:
                right = right.detach()
        elif id(right) in self.gated:
            right = right.detach()
        elif id(left) in self.gated:
            left = left.detach()
        return func(left, right, *args[2:], **kwargs)


class _Rectified(torch.autograd.Function):
    """A value given, whose signal goes down where it is positive, times a slope."""

    @staticmethod
    def forward(ctx: Any, signal: Tensor, value: Tensor, slope: Tensor, in_place: bool) -> Tensor:
        ctx.save_for_backward(slope)
        if not in_place:
            return value
        ctx.mark_dirty(signal)
        return signal.copy_(value)

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, None, None, None]:
        (slope,) = ctx.saved_tensors
        return above.clamp(min=0) * slope, None, None, None


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
