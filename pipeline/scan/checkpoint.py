"""The progress of a scan, kept on disk so that an interrupted one resumes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from pipeline.scan.layer_statistics import LayerStatistics
from pipeline.storage.checked import read_checked, write_checked


@dataclass
class ScanCheckpoint:
    """The merged statistics of the finished chunks, and which these are."""

    layers: dict[str, LayerStatistics]
    finished: Bool[np.ndarray, " chunk"]
    _inconsistent: bool = field(default=False, init=False)
    """Whether a merge began that did not end: some layers hold its chunk, others may not."""

    def merge(self, number: int, chunk: Mapping[str, LayerStatistics]) -> None:
        """Merge a chunk's statistics; those of a finished chunk are not counted again.

        Ctrl-C may fall into a merge. This checkpoint is of no use then and is not saved any more.
        """
        if self.finished[number]:
            return
        self._inconsistent = True
        for layer, statistics in chunk.items():
            self.layers[layer].merge(statistics)
        self.finished[number] = True
        self._inconsistent = False

    def save(self, path: Path) -> None:
        """Write everything to a file, which is replaced whole.

        After an interrupted merge nothing is written: the file keeps what was whole.
        """
        if self._inconsistent:
            return
        arrays = {
            f"{layer}/{name}": array
            for layer, statistics in self.layers.items()
            for name, array in statistics.state().items()
        }
        arrays["finished"] = self.finished
        write_checked(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]

    def load(self, path: Path) -> None:
        """Continue from a file that `save` wrote, where there is one that is intact."""
        content = read_checked(path)
        if content is None:
            return
        with np.load(content) as arrays:
            for layer, statistics in self.layers.items():
                names = statistics.state()
                statistics.restore({name: arrays[f"{layer}/{name}"] for name in names})
            self.finished = arrays["finished"]
