"""The work of one chunk: what a worker does, and all that it is told."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from dask.system import CPU_COUNT
from jaxtyping import Float32, Int64

from pipeline.compute.device import configure_matmul
from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.model import Model
from pipeline.scan.forward import Forward
from pipeline.scan.maps import Maps
from pipeline.scan.tally import LayerTally, empty_tallies
from pipeline.scan.top import Entries, all_entries


@dataclass(frozen=True)
class Plan:
    """What all chunks of a scan have in common."""

    model: Path
    """The model's folder, as the workers see it."""
    weights_sha256: str
    """Of the weights in it."""
    layers: tuple[str, ...]
    top: int
    batch_size: int
    tf32: bool


@dataclass(frozen=True)
class Job:
    """One chunk's images."""

    plan: Plan
    first: int
    """Image row of the first; the others follow."""
    store: ImageStore
    """Where the images are."""
    images: tuple[ImageRow, ...]
    labels: tuple[int, ...]
    """Position of each image's class among the model's; −1 where it has none."""


class _Batch:
    """What one batch has shown of a layer so far."""

    def __init__(self, first: int, tally: LayerTally) -> None:
        self._first = first
        self._tally = tally
        self._peaks: list[Float32[np.ndarray, "image channel"]] = []
        self._entries: list[Entries] = []

    def see(self, position: int, maps: Maps) -> None:
        """Note the peaks of the images from a position in the batch on."""
        peaks = maps.peaks()
        image, channel = self._tally.candidates(peaks)
        rows = (image + self._first + position).astype(np.int32)
        cells = maps.cells(image, channel)
        self._entries.append(Entries(channel, peaks[image, channel], rows, cells))
        self._peaks.append(peaks)

    def close(self, labels: Int64[np.ndarray, " image"]) -> None:
        """Hand everything to the tally."""
        self._tally.add(all_entries(self._entries), np.concatenate(self._peaks), labels)


def scan_chunk(job: Job, device: torch.device) -> dict[str, LayerTally]:
    """The tallies of a chunk's images, by layer.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    plan = job.plan
    configure_matmul(device, tf32=plan.tf32)
    model, forward = _loaded(plan, device)
    card = model.card
    tallies = empty_tallies(model.graph, plan.layers, plan.top)
    load = partial(load_verified, job.store, resize=card.resize, crop=card.crop)
    loaded = prefetch(load, job.images, CPU_COUNT, depth=plan.batch_size)
    squares = (square for _, square in loaded)
    for start in range(0, len(job.images), plan.batch_size):
        labels = np.array(job.labels[start : start + plan.batch_size], np.int64)
        batches = {layer: _Batch(job.first + start, tally) for layer, tally in tallies.items()}
        for layer, position, maps in forward.run(squares, len(labels)):
            batches[layer].see(position, maps)
        for batch in batches.values():
            batch.close(labels)
    return tallies


@cached_per_process
def _loaded(plan: Plan, device: torch.device) -> tuple[Model, Forward]:
    """The network of a plan on a device, loaded when a process meets it first."""
    model = load_pinned_model(plan.model, plan.weights_sha256)
    return model, Forward(model, plan.layers, plan.batch_size, device)
