"""The scan: which images excite every channel most, and how its peaks are distributed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import torch

from pipeline.compute.pool import Pool
from pipeline.compute.version import package_versions
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.errors import AtlasError
from pipeline.network.card import ModelCard
from pipeline.network.graph import Graph
from pipeline.network.selection import selected
from pipeline.params import ScanParams
from pipeline.progress import Advance, no_progress
from pipeline.scan.checkpoint import ScanCheckpoint
from pipeline.scan.counts import ImageCounts
from pipeline.scan.layer_statistics import LayerStatistics, empty_statistics
from pipeline.scan.partition import ImageChunk, chunk_count, image_chunks
from pipeline.scan.worker import ScanConfig, ScanTask, scan_chunk
from pipeline.storage.versions import VERSIONS

log = logging.getLogger(__name__)

SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class Scan:
    """A model and the images that it is shown."""

    config: ScanConfig
    card: ModelCard
    images: Sequence[ImageRow]
    store: ImageStore
    """Where the images are."""

    @property
    def graph(self) -> Graph:
        """The network's description."""
        return self.card.graph()

    def run(
        self,
        pool: Pool,
        checkpoint_file: Path,
        advance: Advance = no_progress,
        save_every_s: float = SAVE_EVERY_S,
    ) -> dict[str, LayerStatistics]:
        """Scan every image, or those that the checkpoint file lacks; the statistics by layer.

        The file is written every few seconds and whenever the scan ends early. `advance` counts
        images.
        """
        checkpoint = self._open(checkpoint_file)
        done = int(checkpoint.finished.sum())
        if done:
            log.info("Resuming: %d of %d chunks are finished", done, len(checkpoint.finished))
        saved = monotonic()
        try:
            for chunk, layers in pool.run(scan_chunk, self._tasks(checkpoint, advance)):
                checkpoint.merge(chunk.number, layers)
                advance(len(chunk.rows))
                if monotonic() - saved >= save_every_s:
                    checkpoint.save(checkpoint_file)
                    saved = monotonic()
        finally:
            checkpoint.save(checkpoint_file)
        for layer, statistics in checkpoint.layers.items():
            _log(layer, statistics)
        return checkpoint.layers

    def _open(self, file: Path) -> ScanCheckpoint:
        config = self.config
        count = chunk_count(len(self.images), config.batch_size)
        layers = empty_statistics(self.graph, config.layers, config.top, self.card.classes)
        checkpoint = ScanCheckpoint(layers, np.zeros(count, bool))
        checkpoint.load(file)
        return checkpoint

    def _tasks(
        self, checkpoint: ScanCheckpoint, advance: Advance
    ) -> Iterator[tuple[ImageChunk, ScanTask]]:
        position = {name: place for place, name in enumerate(self.card.classes)}
        for chunk in image_chunks(len(self.images), self.config.batch_size):
            if checkpoint.finished[chunk.number]:
                advance(len(chunk.rows))
                continue
            images = tuple(self.images[chunk.rows.start : chunk.rows.stop])
            labels = tuple(position.get(image.label, -1) for image in images)
            limits = {name: layer.limits() for name, layer in checkpoint.layers.items()}
            first = chunk.rows.start
            yield chunk, ScanTask(self.config, first, self.store, images, labels, limits)


def _log(layer: str, statistics: LayerStatistics) -> None:
    """Report the dead channels of a layer, and peaks that are not numbers."""
    counts = statistics.by_name["counts"]
    assert isinstance(counts, ImageCounts)
    dead = int((statistics.result()["image"].values[:, 0] < 0).sum())
    log.info("%s: %d channels, %d of them dead", layer, len(counts.fired), dead)
    if counts.unranked.any():
        log.warning(
            "%s: %d peaks in %d channels are NaN or infinite; they are not ranked",
            layer,
            counts.unranked.sum(),
            np.count_nonzero(counts.unranked),
        )


def plan_scan(
    params: ScanParams, card: ModelCard, model: Path, images: Sequence[ImageRow], store: ImageStore
) -> Scan:
    """A scan of some images by the model in a folder.

    Raises AtlasError for a layer that the network lacks, or without images.
    """
    graph = card.graph()
    layers = tuple(layer.name for layer in selected(graph, params.layers))
    if not images:
        raise AtlasError(
            "The manifest lists no validation images.",
            fix="Raise data.val_fraction, or add a folder val/.",
        )
    if len(images) < params.top:
        log.warning(
            "Only %d validation images: fewer than scan.top, %d, so no channel shows so many",
            len(images),
            params.top,
        )
    config = ScanConfig(
        model.absolute(), card.sha256, layers, params.top, params.batch_size, params.tf32
    )
    return Scan(config, card, images, store)


def scan_facts(
    params: ScanParams, card: ModelCard, manifest_sha256: str, device: torch.device
) -> dict[str, object]:
    """Everything that a scan's statistics depend on, for the fingerprint of its state."""
    return {
        "params": params.model_dump(mode="json"),
        "model": card.model_dump(mode="json"),
        "manifest": manifest_sha256,
        "version": VERSIONS["scan"],
        "packages": package_versions(),
        "device": device.type,
    }
