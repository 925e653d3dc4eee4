"""The forward pass of a chain as a torch module, op by op: the plain reference."""

from collections.abc import Collection

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pipeline.network.chain import Chain, ContrastNorm, Conv, Dropout, Linear, MaxPool, Op, ReLU


class Network(nn.Module):
    """A chain with weights; its parameters are named `conv1.weight`, `conv1.bias`, … `fc8.bias`."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.chain = chain
        for _, op in chain.weighted():
            self.add_module(op.name, _weights(op))

    def forward(self, inputs: Float[Tensor, "image 3 row col"]) -> Float[Tensor, "image class"]:
        """Class scores, before the softmax, of normalised inputs."""
        signal = inputs
        for op in self.chain.ops:
            signal = self.apply_op(op, signal)
        return signal

    def activations(
        self, inputs: Float[Tensor, "image 3 row col"], layers: Collection[str]
    ) -> dict[str, Float[Tensor, "image channel *cell"]]:
        """Activations of the layers named, after ReLU; nothing above the last of them is run."""
        ends = {self.chain.end(layer): layer for layer in layers}
        found = {}
        signal = inputs
        for position, op in enumerate(self.chain.ops[: max(ends)], start=1):
            signal = self.apply_op(op, signal)
            if position in ends:
                found[ends[position]] = signal
        return found

    def apply_op(self, op: Op, signal: Tensor) -> Tensor:
        """One operation of the chain on a batch."""
        match op:
            case Conv():
                return _call(self.get_submodule(op.name), complete_windows(op, signal))
            case ReLU():
                return functional.relu(signal)
            case MaxPool():
                return functional.max_pool2d(signal, op.kernel, op.stride, ceil_mode=True)
            case ContrastNorm():
                # torch divides alpha by the number of channels; the paper's formula does not.
                return functional.local_response_norm(
                    signal, op.channels, op.alpha * op.channels, op.beta, op.k
                )
            case Dropout():
                return functional.dropout(signal, op.probability, self.training)
            case Linear():
                return _call(self.get_submodule(op.name), signal.flatten(1))


def complete_windows(op: Conv, signal: Tensor) -> Tensor:
    """Add the zeros on the right and bottom that the last windows of a convolution reach into."""
    row, col = (_excess(op, size) for size in signal.shape[-2:])
    return functional.pad(signal, (0, col, 0, row)) if row or col else signal


def _excess(op: Conv, size: int) -> int:
    return -(size + 2 * op.padding - op.kernel) % op.stride


def _weights(op: Conv | Linear) -> nn.Module:
    if isinstance(op, Conv):
        return nn.Conv2d(
            op.in_channels, op.out_channels, op.kernel, op.stride, op.padding, groups=op.groups
        )
    return nn.Linear(op.in_features, op.out_features)


def _call(module: nn.Module, signal: Tensor) -> Tensor:
    result: Tensor = module(signal)
    return result


@torch.no_grad()
def empty_network(chain: Chain) -> Network:
    """A network whose weights are allocated but not yet set (meta device: no memory, no chance)."""
    with torch.device("meta"):
        return Network(chain)
