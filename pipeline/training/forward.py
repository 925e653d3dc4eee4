"""The forward pass of training: the chain's, with a fast contrast norm and given dropout."""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.network.chain import Chain, ContrastNorm, Dropout
from pipeline.network.module import Network
from pipeline.training.contrast import contrast_norm

Inputs = Float[Tensor, "image 3 row col"]
Scores = Float[Tensor, "image class"]
Masks = Mapping[int, Float[Tensor, "image feature"]]
"""For each dropout, by its position in the chain: 0 where a feature is dropped, else the factor
that makes up for those."""


class TrainingForward(nn.Module):
    """A network as it is trained and validated; it holds no weights but the network's."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Inputs, masks: Masks | None = None) -> Scores:
        """Class scores; without masks nothing is dropped."""
        return self._run(inputs, masks or {}, _ignore)

    def scores_and_peaks(
        self, inputs: Inputs
    ) -> tuple[Scores, dict[str, Float[Tensor, " channel"]]]:
        """Class scores, and each conv channel's largest activation over the batch."""
        chain = self.network.chain
        layers = {chain.end(layer) - 1: layer for layer in chain.conv_layers}
        peaks = {}

        def see(position: int, signal: Tensor) -> None:
            if position in layers:
                peaks[layers[position]] = signal.amax(dim=(0, 2, 3)).float()

        return self._run(inputs, {}, see), peaks

    def _run(self, inputs: Inputs, masks: Masks, see: Callable[[int, Tensor], None]) -> Scores:
        signal = inputs
        for position, op in enumerate(self.network.chain.ops):
            match op:
                case ContrastNorm():
                    signal = contrast_norm(op, signal)
                case Dropout():
                    signal = signal * masks[position] if position in masks else signal
                case _:
                    signal = self.network.apply_op(op, signal)
            see(position, signal)
        return signal


def _ignore(position: int, signal: Tensor) -> None:
    """Look at nothing."""


def draw_masks(chain: Chain, count: int, share: slice, generator: torch.Generator) -> Masks:
    """Dropout masks of a share of a batch of `count` images, on the generator's device.

    They are drawn for the whole batch, so that they do not depend on how it is shared out.
    """
    masks = {}
    features = 0
    for position, op in enumerate(chain.ops):
        if hasattr(op, "out_features"):
            features = op.out_features
        if isinstance(op, Dropout) and op.probability > 0:
            chance = torch.rand(count, features, generator=generator, device=generator.device)
            kept = (chance[share] >= op.probability).float()
            masks[position] = kept / (1 - op.probability) if op.probability < 1 else kept
    return masks
