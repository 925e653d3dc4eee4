"""The squares of listed images, read and decoded ahead of their use."""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path

import numpy as np
from dask.system import CPU_COUNT
from jaxtyping import UInt8

from pipeline.dataset.listed import load_listed
from pipeline.dataset.manifest import ImageRow

Square = UInt8[np.ndarray, "crop crop 3"]


def squares_ahead(
    root: Path, rows: Iterable[ImageRow], resize: int, crop: int, ahead: int
) -> Iterator[Square]:
    """The squares of listed images in their order; up to `ahead` more are being read by threads.

    Raises AtlasError at the place of a file that is not what the manifest lists.
    """
    waiting: deque[Future[Square]] = deque()
    try:
        for row in rows:
            waiting.append(_decoders().submit(load_listed, root, row, resize, crop))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for square in waiting:
            square.cancel()


@cache
def _decoders() -> ThreadPoolExecutor:
    """This process's threads for decoding; Pillow lets them run beside the forward pass."""
    return ThreadPoolExecutor(CPU_COUNT, thread_name_prefix="decode")
