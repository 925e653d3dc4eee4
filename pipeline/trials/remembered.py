"""Results that a command keeps while its table grows: an interrupted one repeats none."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from pipeline.storage.checked import read_checked, write_checked

Numbers = dict[str, int | float]
"""A result, by the names of what was measured."""


def remembered(state: Path, name: str, compute: Callable[[Path], Numbers]) -> Numbers:
    """The result of a name: kept in the state folder, else computed and kept.

    `compute` is given a folder of its own for what it needs to resume; it goes when the result is
    there.
    """
    path, folder = state / f"{name}.json", state / name
    if (kept := read_checked(path)) is not None:
        numbers: Numbers = json.load(kept)
    else:
        folder.mkdir(exist_ok=True)
        numbers = compute(folder)
        text = json.dumps(numbers).encode()
        write_checked(path, lambda file: file.write(text))
    if folder.exists():
        shutil.rmtree(folder)
    return numbers
