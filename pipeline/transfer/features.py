"""Features: the activations of one layer for every image, the input of a new softmax."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.model import Model
from pipeline.progress import Advance
from pipeline.scan.graph_forward import forward_of

BATCH = 32
"""Images read and computed at a time."""


@torch.inference_mode()
def features_of(
    model: Model,
    layer: str,
    images: ImageStore,
    rows: Sequence[ImageRow],
    *,
    device: torch.device,
    threads: int,
    advance: Advance,
) -> Float32[np.ndarray, "image feature"]:
    """Activations of a layer, flattened, for the centre crop of every image."""
    forward = forward_of(model, [layer], BATCH, device)

    def read(batch: Sequence[ImageRow]) -> list[np.ndarray]:
        return [load_verified(images, row, *model.card.framing) for row in batch]

    found = []
    batches = [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]
    for batch, pixels in prefetch(read, batches, threads, depth=2 * threads):
        for _, _, maps in forward.run(iter(pixels), len(pixels)):
            # A copy, since the next step of the forward pass may overwrite the maps.
            found.append(maps.maps.flatten(1).cpu().clone().numpy())
        advance(len(batch))
    return np.concatenate(found)
