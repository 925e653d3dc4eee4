"""The work of one chunk of images: its task, and what a worker does with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from dask.system import CPU_COUNT
from jaxtyping import Float32, Int32, Int64, UInt8

from pipeline.compute.device import configure_matmul
from pipeline.compute.memory import fitted
from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.model import Model
from pipeline.scan.feature_maps import FeatureMaps
from pipeline.scan.forward import Forward
from pipeline.scan.layer_statistics import LayerStatistics, Limits, empty_statistics
from pipeline.scan.statistic import PeakBatch


@dataclass(frozen=True)
class ScanConfig:
    """The settings that all chunks of a scan share."""

    model: Path
    """The model's folder, as the workers see it."""
    model_sha256: str
    """Of its card, and so of the weights."""
    layers: tuple[str, ...]
    top: int
    batch_size: int
    tf32: bool
    snapshot: int | None = None
    """The epoch of the weights that are scanned; None: the trained ones."""


@dataclass(frozen=True)
class ScanTask:
    """One chunk's images."""

    config: ScanConfig
    first: int
    """Image row of the first; the others follow."""
    store: ImageStore
    """Where the images are."""
    images: tuple[ImageRow, ...]
    labels: tuple[int, ...]
    """Position of each image's class among the model's; −1 where it has none."""
    limits: Mapping[str, Limits]
    """By layer, what the finished chunks hold better already; it changes no result."""


class BatchPeaks:
    """The peaks of one batch in one layer, gathered while the maps exist."""

    def __init__(self, rows: Int32[np.ndarray, " image"], statistics: LayerStatistics) -> None:
        self._rows = rows
        self._statistics = statistics
        self._wanted = statistics.wants(rows)
        self._peaks: list[Float32[np.ndarray, "image channel"]] = []
        self._cells: list[Int32[np.ndarray, "image channel 2"]] = []

    def see(self, position: int, maps: FeatureMaps) -> None:
        """Note the peaks of the images from a position in the batch on, and the cells wanted."""
        peaks = maps.peaks()
        wanted = self._wanted(peaks, slice(position, position + len(peaks)))
        image, channel = np.nonzero(wanted)
        cells = np.full((*peaks.shape, 2), -1, np.int32)
        cells[image, channel] = maps.cells(image, channel)
        self._peaks.append(peaks)
        self._cells.append(cells)

    def close(self, labels: Int64[np.ndarray, " image"]) -> None:
        """Hand everything to the statistics."""
        peaks, cells = np.concatenate(self._peaks), np.concatenate(self._cells)
        self._statistics.add(PeakBatch(peaks, self._rows, labels, cells))


def scan_chunk(task: ScanTask, device: torch.device) -> dict[str, LayerStatistics]:
    """The statistics of a chunk's images, by layer.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    config = task.config
    configure_matmul(device, tf32=config.tf32)
    model, forward = _loaded(config, device)
    card, size = model.card, config.batch_size
    layers = empty_statistics(model.graph, config.layers, config.top, card.classes)
    for layer, limits in task.limits.items():
        layers[layer].set_limits(limits)
    resize, crop, how = card.framing
    load = partial(load_verified, task.store, resize=resize, crop=crop, interpolation=how)
    squares = (square for _, square in prefetch(load, task.images, CPU_COUNT, depth=size))
    for start in range(0, len(task.images), size):
        labels = np.array(task.labels[start : start + size], np.int64)
        rows = np.arange(len(labels), dtype=np.int32) + np.int32(task.first + start)
        batch_squares = list(islice(squares, len(labels)))
        see = partial(peaks_of_batch, layers, forward, rows, batch_squares)
        batches, forward.slice_images = fitted(see, forward.slice_images)
        for batch in batches.values():
            batch.close(labels)
    return layers


def peaks_of_batch(
    layers: Mapping[str, LayerStatistics],
    forward: Forward,
    rows: Int32[np.ndarray, " image"],
    squares: Sequence[UInt8[np.ndarray, "crop crop 3"]],
    slice_images: int,
) -> dict[str, BatchPeaks]:
    """The peaks of a batch, so many images passing at a time; nothing is handed over yet."""
    forward.slice_images = slice_images
    batches = {layer: BatchPeaks(rows, statistics) for layer, statistics in layers.items()}
    for layer, position, maps in forward.run(iter(squares), len(squares)):
        batches[layer].see(position, maps)
    return batches


@cached_per_process
def _loaded(config: ScanConfig, device: torch.device) -> tuple[Model, Forward]:
    """The network on a device; a process reads it once."""
    model = load_pinned_model(config.model, config.model_sha256, config.snapshot)
    return model, Forward.of_layers(model, config.layers, config.batch_size, device)
