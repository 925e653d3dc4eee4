"""A figure: its protocol, and what one leaves behind."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from pipeline.atlas import Run
from pipeline.progress import Advance

DATA, PICTURES = "figure.json", "pictures.npz"


@dataclass(frozen=True)
class Result:
    """What a figure found: numbers for tables and curves, arrays for pictures."""

    data: Mapping[str, Any]
    """JSON; what the figure's template reads."""
    pictures: Mapping[str, np.ndarray[Any, np.dtype[Any]]]
    summary: Mapping[str, Any]
    """The few numbers that stand in `reports/figures.json`."""


class Figure(Protocol):
    """One figure or table of the paper."""

    name: str

    def excuse(self, run: Run) -> str:
        """Why it does not apply to a run, as a sentence; empty where it does."""
        ...

    def make(self, run: Run, device: torch.device, advance: Advance) -> Result:
        """Compute it; the same result each time. `advance` counts steps of the figure's own."""
        ...


def write_result(folder: Path, result: Result) -> None:
    """Write a figure into a new folder; equal results give equal bytes."""
    folder.mkdir(parents=True)
    text = json.dumps(result.data, indent=1, allow_nan=False) + "\n"
    (folder / DATA).write_text(text, encoding="utf-8")
    np.savez_compressed(folder / PICTURES, **result.pictures)


def read_result(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, np.dtype[Any]]]]:
    """The data and the pictures of a figure."""
    data: dict[str, Any] = json.loads((folder / DATA).read_text(encoding="utf-8"))
    with np.load(folder / PICTURES, allow_pickle=False) as arrays:
        return data, {name: arrays[name] for name in arrays.files}
