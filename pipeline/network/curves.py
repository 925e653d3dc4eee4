"""Activation functions as torch functions."""

from typing import assert_never

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from pipeline.network.ops import Curve


def apply_curve(op: Curve, signal: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """An activation function, element by element."""
    match op.kind:
        case "relu":
            return functional.relu(signal)
        case "relu6":
            return functional.relu6(signal)
        case "leaky_relu":
            return functional.leaky_relu(signal, op.slope)
        case "elu":
            return functional.elu(signal, op.slope)
        case "silu":
            return functional.silu(signal)
        case "gelu":
            return functional.gelu(signal)
        case "gelu_tanh":
            return functional.gelu(signal, approximate="tanh")
        case "hardswish":
            return functional.hardswish(signal)
        case "hardsigmoid":
            return functional.hardsigmoid(signal)
        case "sigmoid":
            return torch.sigmoid(signal)
        case "tanh":
            return torch.tanh(signal)
        case "softplus":
            return functional.softplus(signal)
        case "mish":
            return functional.mish(signal)
        case _:
            assert_never(op.kind)
