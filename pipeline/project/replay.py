"""The switches of a finished run, made again to the bit for one entry."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor

from pipeline.atlas.chunks import Chunk
from pipeline.atlas.layer_entries import entries_of
from pipeline.atlas.runner import entry_task, numbered_chunks
from pipeline.compute.device import configure_matmul
from pipeline.dataset.manifest import ImageRow
from pipeline.network.geometry import Windows, seed_of, windows
from pipeline.project.tables import projection_tables
from pipeline.project.worker import ProjectConfig, ProjectTask, load_input, load_projector
from pipeline.storage.scan_record import ScanRecord

ReplayedSwitches = tuple[tuple[int, int], Shaped[Tensor, "_ _ _"]]
"""The (row, col) of a window's first cell on a node's map, which may lie outside it, and what
`deconvnet.Switches` holds of each cell."""


class SwitchReplay:
    """Repeats the forward passes of a run as the run did them: same chunk, same batch, same path.

    On the device and the kind of machine that projected, the switches are the run's own to the bit.
    """

    def __init__(
        self,
        config: ProjectConfig,
        records: Mapping[str, ScanRecord],
        rows: Sequence[ImageRow],
        device: torch.device,
    ) -> None:
        self._model, self._projector = load_projector(config, device)
        self._config, self._rows, self._device = config, rows, device
        self._records = records
        entries = {layer: entries_of(record) for layer, record in records.items()}
        tables = projection_tables(self._model.graph, records)
        self._chunks = list(numbered_chunks(entries, tables).values())

    def __call__(self, layer: str, channel: int, rank: int) -> dict[int, ReplayedSwitches]:
        """The switches of the entry, by the node that each belongs to."""
        configure_matmul(self._device, tf32=False)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # as tasks run: the last bits depend on it
        try:
            return self._recalled(layer, channel, rank)
        finally:
            torch.set_num_threads(threads)

    def _recalled(self, layer: str, channel: int, rank: int) -> dict[int, ReplayedSwitches]:
        image = int(self._records[layer].image[channel, rank])
        chunk = next(chunk for chunk in self._chunks if _holds(chunk, layer, image))
        found = chunk[layer]
        entry = np.nonzero((found.channel == channel) & (found.rank == rank))[0]
        switches = self._repeated(layer, chunk, entry)
        below = windows(self._model.graph, seed_of(self._model.graph, layer))
        cell = torch.from_numpy(found.cell[entry]).long()
        return {at: (_first(below[at], cell), offsets.cpu()) for at, offsets in switches.items()}

    @torch.inference_mode()
    def _repeated(
        self, layer: str, chunk: Chunk, entry: Int64[np.ndarray, " 1"]
    ) -> dict[int, Shaped[Tensor, "_ _ _"]]:
        """The entry's switches, out of the batch that it was in."""
        passes, found = self._projector.passes, chunk[layer]
        images = _Inputs(entry_task(self._config, self._rows, chunk), self._device)
        whole, row = passes.whole_images(chunk), int(found.image[entry[0]])
        if row in whole:
            maps = {row: passes.maps(images[row], whole[row])}
            batch = entry
        else:
            maps = {}
            batch = next(b for b in passes.batches(found, whole) if entry[0] in b)
        switches = passes.switches(layer, found, batch, images, maps)
        place = int(np.nonzero(batch == entry[0])[0][0])
        return {at: offsets[place] for at, offsets in switches.items()}


class _Inputs(Mapping[int, Float[Tensor, "1 3 row col"]]):
    """The network inputs of a chunk's images, each read when it is asked for."""

    def __init__(self, task: ProjectTask, device: torch.device) -> None:
        self._task, self._device = task, device

    def __getitem__(self, row: int) -> Float[Tensor, "1 3 row col"]:
        model, _ = load_projector(self._task.config, self._device)
        return load_input(model, self._task, row, self._device)

    def __iter__(self) -> Iterator[int]:
        return iter(self._task.images)

    def __len__(self) -> int:
        return len(self._task.images)


def _holds(chunk: Chunk, layer: str, image: int) -> bool:
    return layer in chunk and image in chunk[layer].image


def _first(window: Windows, cell: Int64[Tensor, "1 2"]) -> tuple[int, int]:
    row, col = (int(axis.first(cell[:, at])) for at, axis in enumerate(window))
    return row, col
