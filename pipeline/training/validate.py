"""Loss, error and dead channels on the validation images, after every epoch."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional

from pipeline.dataset.decoded import ImageDataset
from pipeline.dataset.prefetch import prefetch
from pipeline.network.normalisation import Normalisation
from pipeline.training.distributed import Group
from pipeline.training.forward import TrainingForward

BATCH = 64
"""Images in a forward pass."""


@dataclass(frozen=True)
class Validation:
    """Means over the validation images; None without any."""

    loss: float | None
    top1_error: float | None
    dead: dict[str, int]
    """Channels of each conv layer whose activation is 0 everywhere; empty without images."""


@torch.no_grad()
def validate(
    forward: TrainingForward,
    squares: ImageDataset,
    labels: Int64[np.ndarray, " image"],
    normalisation: Normalisation,
    group: Group,
    threads: int,
    half: bool,
) -> Validation:
    """Run the validation images, shared out over the group, through the network.

    `half` computes products in bfloat16, as the training does.
    """
    if not len(squares):
        return Validation(None, None, {})
    device = normalisation.mean.device
    sums = torch.zeros(2, dtype=torch.float64, device=device)
    peaks: dict[str, Tensor] = {}
    mine = np.arange(len(squares))[group.shard(len(squares))]
    runs = [mine[first : first + BATCH] for first in range(0, len(mine), BATCH)]
    for rows, pixels in prefetch(squares.__getitems__, runs, threads, depth=2 * threads):
        inputs = normalisation.overwrite(as_views(pixels, device))
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            scores, batch_peaks = forward.scores_and_peaks(inputs)
        sums += _loss_and_wrong(scores, labels[rows])
        for layer, values in batch_peaks.items():
            peaks[layer] = torch.maximum(values, peaks.get(layer, values))
    loss, wrong = group.all_reduce_sum(sums).tolist()
    count = len(squares)
    return Validation(loss / count, wrong / count, _dead(forward, peaks, group, device))


def as_views(
    pixels: UInt8[np.ndarray, "image row col 3"], device: torch.device
) -> Float[Tensor, "image 3 row col"]:
    """Pixels (image, row, col, 3) as float maps (image, 3, row, col), channels-last in memory."""
    dense = np.ascontiguousarray(pixels)
    return torch.from_numpy(dense).to(device).permute(0, 3, 1, 2).float()


def _loss_and_wrong(scores: Tensor, labels: Int64[np.ndarray, " image"]) -> Tensor:
    truth = torch.from_numpy(labels).to(scores.device)
    loss = functional.cross_entropy(scores.float(), truth, reduction="sum")
    wrong = (scores.argmax(dim=1) != truth).sum()
    return torch.stack([loss.double(), wrong.double()])


def _dead(
    forward: TrainingForward, peaks: dict[str, Tensor], group: Group, device: torch.device
) -> dict[str, int]:
    graph = forward.network.graph
    dead = {}
    for layer in graph.conv_layers:
        none = torch.zeros(graph.layer(layer).channels, device=device)
        dead[layer] = int((group.all_reduce_max(peaks.get(layer, none)) <= 0).sum())
    return dead
