"""Features: the activations of one layer for every image, the input of a linear classifier."""

from collections.abc import Sequence
from math import isqrt

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor
from torch.nn import functional

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.model import Model
from pipeline.progress import Advance
from pipeline.scan.forward import Forward

BATCH = 32
"""Images read and computed at a time."""
MOST = 9216
"""Features of an image at most, where a layer has no more channels: as many as ZFNet's pool5 has.

The paper classifies a layer's whole output; conv1's is 1.2 million values an image, 14 GB for 30
images of each class of Caltech-101.
"""

Features = Float32[np.ndarray, "image feature"]


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
) -> Features:
    """Activations of a layer for the centre crop of every image, as `pooled` gives them."""
    forward = Forward.of_layers(model, [layer], BATCH, device)

    def read(batch: Sequence[ImageRow]) -> list[np.ndarray]:
        return [load_verified(images, row, *model.card.framing) for row in batch]

    found = []
    batches = [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]
    for batch, pixels in prefetch(read, batches, threads, depth=2 * threads):
        for _, _, maps in forward.run(iter(pixels), len(pixels)):
            # A copy, since the next step of the forward pass may overwrite the maps.
            found.append(pooled(maps.maps).cpu().clone().numpy())
        advance(len(batch))
    return np.concatenate(found)


def pooled(maps: Float[Tensor, "image channel row col"]) -> Float[Tensor, "image feature"]:
    """Maps, flattened; those of more than MOST values are max-pooled before.

    A side is then the largest with which all channels together have at most MOST values, 1 at
    least. The windows are even parts of the map, as the pools that follow conv1, conv2 and conv5
    in the paper's networks take its largest values.
    """
    side = max(1, isqrt(MOST // maps.shape[1]))
    if maps[0].numel() > MOST:
        size = (min(side, maps.shape[2]), min(side, maps.shape[3]))
        maps = functional.adaptive_max_pool2d(maps, size)
    return maps.flatten(1)
