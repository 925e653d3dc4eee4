"""malloc settings: a process keeps the memory that it frees."""

import ctypes
import sys
from functools import cache

MMAP_MAX, TRIM_THRESHOLD = -4, -1
"""Numbers of glibc's options in `mallopt`."""
KEPT_BYTES = 1 << 30
"""Free memory at the end of the heap that is not given back."""


@cache
def disable_malloc_trim() -> None:
    """Keep freed memory for the next tensor of this process instead of giving it back.

    The maps of a training step, or of a slice of a scan, are freed at its end. Given back, they
    come from the kernel again, zeroed page by page, every time: a fifth to a quarter of a training
    step, a seventh of a scan. Does nothing where the C library is not glibc.
    """
    if sys.platform != "linux":
        return
    library = ctypes.CDLL(None)
    if hasattr(library, "gnu_get_libc_version"):
        library.mallopt(MMAP_MAX, 0)
        library.mallopt(TRIM_THRESHOLD, KEPT_BYTES)
