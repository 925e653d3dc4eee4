"""What a scan has done so far, kept on disk so that an interrupted one goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from pipeline.scan.tally import LayerTally, tally_of
from pipeline.storage.checked import read_checked, write_checked


@dataclass
class Ledger:
    """The merged tallies of the chunks finished, and which these are."""

    tallies: dict[str, LayerTally]
    finished: Bool[np.ndarray, " chunk"]
    _torn: bool = field(default=False, init=False)
    """Whether a merge has begun that did not end: some layers hold its chunk, others may not."""

    def take(self, number: int, tallies: Mapping[str, LayerTally]) -> None:
        """Merge a chunk's tallies; those of a finished chunk are not counted again.

        Ctrl-C may fall into a merge. This ledger is of no use then and is not saved any more.
        """
        if self.finished[number]:
            return
        self._torn = True
        for layer, tally in tallies.items():
            self.tallies[layer].merge(tally)
        self.finished[number] = True
        self._torn = False

    def save(self, path: Path) -> None:
        """Write everything to a file, which is replaced whole.

        After an interrupted merge nothing is written: the file keeps what was whole.
        """
        if self._torn:
            return
        arrays = {
            f"{layer}/{name}": array
            for layer, tally in self.tallies.items()
            for name, array in tally.arrays().items()
        }
        write_checked(
            path,
            lambda file: np.savez(file, finished=self.finished, **arrays),  # type: ignore[arg-type]
        )


def load_ledger(path: Path, layers: tuple[str, ...]) -> Ledger | None:
    """The ledger that `save` wrote; None where there is none, or none that is intact."""
    content = read_checked(path)
    if content is None:
        return None
    with np.load(content) as arrays:
        tallies = {
            layer: tally_of(
                {
                    name.removeprefix(f"{layer}/"): arrays[name]
                    for name in arrays.files
                    if name.startswith(f"{layer}/")
                }
            )
            for layer in layers
        }
        return Ledger(tallies, arrays["finished"])
