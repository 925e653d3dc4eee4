"""The activation functions, written from their formulas, and how a signal passes one downwards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

CurveFunction = Callable[[Tensor], Tensor]
"""An activation function."""
CURVES: Mapping[str, Callable[[float], CurveFunction]] = {
    "relu": lambda _: lambda x: x.clamp(min=0),
    "relu6": lambda _: lambda x: x.clamp(0, 6),
    "leaky_relu": lambda slope: lambda x: torch.where(x > 0, x, slope * x),
    "elu": lambda limit: lambda x: torch.where(x > 0, x, limit * torch.expm1(x.clamp(max=0))),
    "silu": lambda _: lambda x: x / (1 + torch.exp(-x)),
    "gelu": lambda _: lambda x: x * (1 + torch.erf(x / 2**0.5)) / 2,
    "gelu_tanh": lambda _: (
        lambda x: x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3))) / 2
    ),
    "hardswish": lambda _: lambda x: x * (x + 3).clamp(0, 6) / 6,
    "hardsigmoid": lambda _: lambda x: (x + 3).clamp(0, 6) / 6,
    "sigmoid": lambda _: lambda x: 1 / (1 + torch.exp(-x)),
    "tanh": lambda _: torch.tanh,
    "softplus": lambda _: lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    "mish": lambda _: lambda x: x * torch.tanh(torch.logaddexp(x, torch.zeros_like(x))),
}
"""By the kind of a `Curve`; each takes a slope first."""


def slope_of(curve: CurveFunction, values: Tensor) -> Tensor:
    """The derivative of an activation function at some values."""
    with torch.enable_grad():
        inner = values.detach().requires_grad_()
        (slope,) = torch.autograd.grad(curve(inner).sum(), inner)
    return slope


@dataclass
class Rule:
    """The rule by which a signal passes an activation function on the way down."""

    method: str = "deconvnet"


def activate(values: Tensor, curve: CurveFunction, rule: Rule, slope: Tensor | None) -> Tensor:
    """An activation function's values, which a signal passes on the way down by a rule.

    `slope` stands for the function's own there.
    """
    result: Tensor = _Activate.apply(values, curve, slope, rule)
    return result


class _Activate(torch.autograd.Function):
    """An activation function and the rule by which a signal passes it on the way down."""

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, curve: CurveFunction, slope: Tensor | None, rule: Rule
    ) -> Tensor:
        """The function's value; its slope, or the one given, is kept."""
        ctx.rule, ctx.slope = rule, slope_of(curve, values) if slope is None else slope
        return curve(values)

    @staticmethod
    def backward(ctx: Any, signal: Tensor) -> tuple[Tensor, None, None, None]:
        """Rectified by its own sign (deconvnet), by the slope (gradient), or by both (guided)."""
        if ctx.rule.method != "gradient":
            signal = signal.clamp(min=0)
        signal = signal if ctx.rule.method == "deconvnet" else signal * ctx.slope
        return signal, None, None, None
