"""What a trained network says of each image, layer by layer: the input of a new softmax."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from pipeline.dataset.prefetch import prefetch
from pipeline.network.model import Model
from pipeline.progress import Advance
from pipeline.training.squares import FileSquares
from pipeline.training.validate import as_views

BATCH = 32
"""Images in a forward pass."""


@torch.inference_mode()
def features_of(
    model: Model,
    layer: str,
    paths: Sequence[Path],
    device: torch.device,
    threads: int,
    advance: Advance,
) -> Float32[np.ndarray, "image feature"]:
    """Activations of a layer, flattened, for the centre crop of every image."""
    network = model.network.to(device).to(memory_format=torch.channels_last)
    normalisation = model.normalisation.to(device)
    squares = FileSquares(paths, model.card.resize, model.card.crop)
    found = []
    runs = [np.arange(n, min(n + BATCH, len(paths))) for n in range(0, len(paths), BATCH)]
    for rows, pixels in prefetch(squares.read, runs, threads, depth=2 * threads):
        inputs = normalisation.overwrite(as_views(pixels, device))
        activations = network.activations(inputs, [layer])[layer]
        found.append(activations.flatten(1).cpu().numpy())
        advance(len(rows))
    return np.concatenate(found)
