"""The mean of the training images, by pixel or by colour, which every input has subtracted."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from pipeline.dataset.prefetch import prefetch
from pipeline.progress import Advance
from pipeline.training.datasets import ImageDataset, Rows
from pipeline.training.distributed import Group

RUN = 64
"""Images summed at a time."""


def mean_of(
    squares: ImageDataset,
    crop: int,
    kind: Literal["pixel", "channel"],
    group: Group,
    threads: int,
    advance: Advance,
) -> Float[Tensor, "3 #crop #crop"]:
    """Mean of the centre crops of all squares, by pixel or by colour.

    Sums are whole numbers, so no order of the images and no number of processes changes a bit.
    """
    sums = np.zeros((crop, crop, 3), np.int64)
    first = (squares.side - crop) // 2
    inside = slice(first, first + crop)

    def run_sum(rows: Rows) -> Int64[np.ndarray, "crop crop 3"]:
        return np.asarray(squares.__getitems__(rows)[:, inside, inside].sum(axis=0, dtype=np.int64))

    for rows, part in prefetch(run_sum, _share(len(squares), group), threads, depth=2 * threads):
        sums += part
        advance(len(rows))
    total = group.all_reduce_sum(torch.from_numpy(sums).permute(2, 0, 1).contiguous())
    if kind == "channel":
        return (total.sum(dim=(1, 2), keepdim=True).double() / (len(squares) * crop**2)).float()
    return (total.double() / len(squares)).float()


def _share(count: int, group: Group) -> Iterator[Rows]:
    mine = np.arange(count)[group.shard(count)]
    for first in range(0, len(mine), RUN):
        yield mine[first : first + RUN]
