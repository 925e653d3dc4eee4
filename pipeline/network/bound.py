"""How large an activation can get, whatever the image."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.network.chain import ContrastNorm, Conv, Linear, Op
from pipeline.network.model import Model

SAFE = 1e18
"""Squares of such numbers are still far from the end of float32."""


def stays_finite(model: Model, ops: Sequence[Op]) -> bool:
    """Whether no image can make an activation overflow or be NaN in the first operations, `ops`.

    Each layer's largest sum of absolute weights bounds its outputs by its inputs. True for every
    network of use; false for one whose training diverged, or with a NaN among its weights.
    """
    extremes = torch.stack([model.mean.abs().max(), (255 - model.mean).abs().max()])
    bound = float(extremes.max()) * model.card.scale
    for op in ops:
        if isinstance(op, Conv | Linear):
            weight, bias = _parameters(model.network.get_submodule(op.name))
            sums = weight.flatten(1).abs().sum(dim=1, dtype=torch.float64)
            bound = float((sums * bound + bias.abs()).max())
        elif isinstance(op, ContrastNorm):
            bound /= min(1.0, op.k**op.beta)
        if not bound < SAFE:
            return False
    return True


def _parameters(layer: nn.Module) -> tuple[Float[Tensor, "out ..."], Float[Tensor, " out"]]:
    weight, bias = layer.parameters()
    return weight, bias
