"""A model as a function from pixels to class probabilities."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from pipeline.compute.memory import fitted
from pipeline.network.model import Model
from pipeline.scan.forward import Forward

BATCH = 32
"""Images in a forward pass of the convolutions on a GPU; a CPU takes fewer at a time."""

Probabilities = Float32[np.ndarray, "image class"]


class Classifier:
    """A model on a device, on the forward pass of the scan."""

    def __init__(self, model: Model, device: torch.device) -> None:
        self._forward = Forward(model, {model.graph.output: "scores"}, BATCH, device)

    @torch.inference_mode()
    def __call__(self, pixels: Sequence[UInt8[np.ndarray, "crop crop 3"]]) -> Probabilities:
        """Probability of every class for every network input.

        Many inputs at once share one pass over the weights of the fully connected layers, which
        hold nine tenths of a ZFNet's.
        """
        score = partial(self._scores, pixels)
        scores, self._forward.slice_images = fitted(score, self._forward.slice_images)
        return np.asarray(torch.cat(scores).softmax(dim=1).cpu().numpy())

    def _scores(
        self, pixels: Sequence[UInt8[np.ndarray, "crop crop 3"]], slice_images: int
    ) -> list[Tensor]:
        self._forward.slice_images = slice_images
        found = self._forward.run(iter(pixels), len(pixels))
        return [maps.maps.flatten(1) for *_, maps in found]
