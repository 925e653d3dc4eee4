"""Progress callbacks and bars of long work."""

from collections.abc import Callable
from contextlib import AbstractContextManager

Advance = Callable[[int], object]
"""Called with the number of items just finished; a stage draws its bar from the calls."""


def no_progress(items: int) -> None:
    """An `Advance` that nobody watches."""


Bar = Callable[[str, int, str], AbstractContextManager[Advance]]
"""Opens a progress bar (title, total, unit) and gives its `Advance`."""
