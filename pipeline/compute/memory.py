"""Work on a GPU whose memory it does not fit at once."""

import logging
from collections.abc import Callable
from typing import TypeVar

import torch

R = TypeVar("R")

log = logging.getLogger(__name__)


def fitted(work: Callable[[int], R], size: int) -> tuple[R, int]:
    """The result of `work(size)`, and the size: halved for as long as the GPU's memory runs out.

    `work` starts from the beginning each time, and gives the same result for every size, up to the
    rounding of sums whose order a GPU chooses by the size of a batch. Raises torch.OutOfMemoryError
    where not even one at a time fits.
    """
    while True:
        try:
            return work(size), size
        except torch.OutOfMemoryError:
            if size == 1:
                raise
        # Not in the handler: the error's traceback would hold the tensors of the failed attempt.
        torch.cuda.empty_cache()
        size = -(-size // 2)
        log.warning("The GPU's memory ran out: %d at a time from here on.", size)
