"""A start for the first layer's filters with the second-order statistics of the images' patches."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from pipeline.dataset.prefetch import prefetch
from pipeline.network.normalisation import Normalisation
from pipeline.training.datasets import ImageDataset, Rows
from pipeline.training.distributed import Group

IMAGES = 4096
"""Training images that are looked at, evenly spread where there are more."""
STEPS = 16
"""Steps per grey level to which a patch is rounded, so that its sums are whole numbers."""
RUN = 16
"""Images summed at a time."""
RESPONSE_VARIANCE = 2.0
"""He's: a ReLU halves it, so that the next layer's inputs have unit variance."""

Covariance = Float64[Tensor, "weight weight"]


def patch_covariance(
    squares: ImageDataset,
    crop: int,
    kernel: int,
    normalisation: Normalisation,
    group: Group,
    threads: int,
) -> Covariance:
    """The covariance of the kernel × kernel × 3 patches that tile the centre crops, as inputs.

    Sums of whole numbers below 2⁵³ are exact in float64: no order of the images and no number of
    processes changes a bit.
    """
    size = 3 * kernel**2
    sums = torch.zeros(size + 1, size, dtype=torch.float64)
    first = (squares.side - crop) // 2
    inside = slice(first, first + crop)
    mean = normalisation.mean.cpu()

    def run_sums(rows: Rows) -> tuple[int, Float64[Tensor, "sums weight"]]:
        pixels = np.ascontiguousarray(squares.__getitems__(rows)[:, inside, inside])
        views = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        patches = _patches(((views - mean) * STEPS).round(), kernel).double()
        return len(patches), torch.cat([patches.T @ patches, patches.sum(dim=0, keepdim=True)])

    count = torch.zeros(1, dtype=torch.float64)
    for _, (patches, part) in prefetch(run_sums, _runs(len(squares), group), threads, 2 * threads):
        count += patches
        sums += part
    total, whole = group.all_reduce_sum(sums), group.all_reduce_sum(count)
    mean_patch = total[-1] / whole
    covariance: Covariance = total[:-1] / whole - torch.outer(mean_patch, mean_patch)
    return covariance * (float(normalisation.scale) / STEPS) ** 2


def _patches(views: Float[Tensor, "image 3 row col"], kernel: int) -> Float[Tensor, "patch weight"]:
    """The patches side by side, each in the order of a filter's weights."""
    tiles = views.unfold(2, kernel, kernel).unfold(3, kernel, kernel)
    return tiles.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * kernel**2)


def _runs(count: int, group: Group) -> Iterator[Rows]:
    """This process's share of the images that are looked at."""
    chosen = np.arange(min(count, IMAGES)) * count // min(count, IMAGES)
    mine = chosen[group.shard(len(chosen))]
    for first in range(0, len(mine), RUN):
        yield mine[first : first + RUN]


def patch_filters(
    covariance: Covariance, count: int, rng: torch.Generator
) -> Float[Tensor, "out 3 kernel kernel"]:
    """Filters with the covariance of the patches, each scaled to a response of He's variance.

    They have the images' coarse patterns and colours, where white noise has grain.
    """
    kernel = round((len(covariance) / 3) ** 0.5)
    with _one_thread():
        filters = correlated(covariance, count, rng)
        variance = ((filters @ covariance) * filters).sum(dim=1)
    gain = (RESPONSE_VARIANCE / variance.clamp(min=1e-30)).sqrt()
    return (filters * gain[:, None]).reshape(count, 3, kernel, kernel).float()


def correlated(
    covariance: Covariance, count: int, rng: torch.Generator
) -> Float64[Tensor, "draw weight"]:
    """Draws from N(0, C): C^½ times white noise."""
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    white = torch.randn(count, len(covariance), generator=rng, dtype=torch.float64)
    return torch.matmul(white, root)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Products on one thread: their last bits depend on the number, which depends on the group."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
