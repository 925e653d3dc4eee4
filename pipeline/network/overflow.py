"""Bounds of activations, whatever the image."""

from collections.abc import Collection, Sequence
from typing import assert_never

import torch

from pipeline.network.model import Model
from pipeline.network.module import Network
from pipeline.network.ops import (
    Add,
    BatchNorm,
    Cat,
    ChannelNorm,
    Conv,
    Curve,
    Dropout,
    Input,
    Linear,
    LocalResponseNorm,
    MapNorm,
    MaxPool,
    MeanPool,
    Mul,
    Pad,
    Resample,
    Scale,
    Select,
)

SAFE = 1e18
"""Squares of such numbers are still far from the end of float32."""
LOOKED_AT_ABOVE = 1e9
"""A bound from which a node's values are looked at, well before SAFE."""
SOUND = 1e6
"""Where values are looked at, the largest magnitude of a sound network's activations."""


def is_overflow_safe(model: Model, nodes: Collection[int]) -> bool:
    """Whether no image can make an activation overflow or be NaN in some nodes and all below them.

    Each layer's largest sum of absolute weights bounds its outputs by its inputs. True for every
    network of use; false for one whose training diverged, or with a NaN among its weights.
    """
    return nodes_to_check(model, nodes, ()) is not None


def nodes_to_check(
    model: Model, nodes: Collection[int], checkable: Collection[int]
) -> frozenset[int] | None:
    """Those of the `checkable` nodes that must stay below SOUND for nothing to overflow.

    The bound of `is_overflow_safe` grows with the depth: for 50 layers it is of no use, unless it
    starts again at values that are known. Empty where the weights alone are enough, None where a
    bound leaves float32 between two nodes that can be checked.
    """
    graph = model.graph
    order = sorted({below for end in nodes for below in graph.ancestors(end)})
    for known in (frozenset[int](), frozenset(checkable)):
        bounds: dict[int, float] = {}
        checked = set()
        for node in order:
            bound = _bound(model, node, [bounds[below] for below in graph.nodes[node].inputs])
            if not bound < SAFE:
                break
            if node in known and bound > LOOKED_AT_ABOVE:
                checked.add(node)
                bound = SOUND
            bounds[node] = bound
        else:
            return frozenset(checked)
    return None


def _bound(model: Model, position: int, below: Sequence[float]) -> float:
    """The largest magnitude of a node's output, of those of its inputs."""
    network, node = model.network, model.graph.nodes[position]
    op = node.op
    match op:
        case Input():
            return model.normalisation.largest()
        case Conv() | Linear():
            return _product(network, op, below[0])
        case BatchNorm():
            deviation = (network.tensor(op.variance).double() + op.epsilon).sqrt()
            factor = _size(network, op.weight, 1.0) / deviation
            far = (below[0] + network.tensor(op.mean).abs()) * factor
            return _largest(far + _size(network, op.bias, 0.0))
        case Scale():
            scaled = below[0] * _size(network, op.factor, 1.0) + _size(network, op.shift, 0.0)
            return _largest(scaled)
        case ChannelNorm() | MapNorm():
            # A value is at most as many deviations from the mean as the root of how many there are.
            channels, rows, cols = node.shape
            count = channels if isinstance(op, ChannelNorm) else channels // op.groups * rows * cols
            scaled = count**0.5 * _size(network, op.weight, 1.0) + _size(network, op.bias, 0.0)
            return _largest(scaled) if below[0] < SAFE else below[0]
        case LocalResponseNorm():
            return below[0] / min(1.0, float(op.k**op.beta))
        case Curve():
            # Those that are bounded pass NaN on, so that they bound nothing here.
            return (below[0] + 1) * max(1.0, abs(op.slope))
        case Add():
            return sum(below)
        case Mul():
            return below[0] * below[1]
        case Pad():
            return max(below[0], abs(op.value))
        case MaxPool() | MeanPool() | Resample() | Cat() | Select() | Dropout():
            return max(below)
        case _:
            assert_never(op)


def _product(network: Network, op: Conv | Linear, below: float) -> float:
    weight = network.tensor(op.weight)
    sums = weight.flatten(1).abs().sum(dim=1, dtype=torch.float64)
    return _largest(sums * below + _size(network, op.bias, 0.0))


def _size(network: Network, name: str | None, otherwise: float) -> torch.Tensor:
    if name is None:
        return torch.full((1,), otherwise, dtype=torch.float64)
    return network.tensor(name).abs().double()


def _largest(values: torch.Tensor) -> float:
    return float(values.max())
