"""The scan: which images excite every channel most, and how its peaks are distributed."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import numpy as np
import torch

import pipeline
from pipeline.compute.cluster import Pool
from pipeline.compute.version import package_versions
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.errors import AtlasError
from pipeline.network.graph import Graph
from pipeline.network.model import ModelCard
from pipeline.params import ScanParams
from pipeline.progress import Advance, unseen
from pipeline.scan.chunk import Job, Plan, scan_chunk
from pipeline.scan.chunks import Chunk, chunk_count, chunks
from pipeline.scan.ledger import Ledger, load_ledger
from pipeline.scan.tally import empty_tallies, record_of
from pipeline.storage.hashing import sha256_of_code
from pipeline.storage.stores import ScanRecord

log = logging.getLogger(__name__)

ROOMS = ("scan", "network", "dataset/images.py", "dataset/verified.py")
"""Whose code decides a chunk's tallies."""
SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class Scan:
    """A model and the images that it is shown."""

    plan: Plan
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
        ledger: Path,
        advance: Advance = unseen,
        save_every_s: float = SAVE_EVERY_S,
    ) -> dict[str, ScanRecord]:
        """Scan every image, or those that the ledger file lacks; the records by layer.

        The ledger is written every few seconds and whenever the scan ends early. `advance` counts
        images.
        """
        book = self._open(ledger)
        done = int(book.finished.sum())
        if done:
            log.info("Going on after %d of %d chunks", done, len(book.finished))
        saved = monotonic()
        try:
            for chunk, tallies in pool.run(scan_chunk, self._jobs(book, advance)):
                book.take(chunk.number, tallies)
                advance(len(chunk.rows))
                if monotonic() - saved >= save_every_s:
                    book.save(ledger)
                    saved = monotonic()
        finally:
            book.save(ledger)
        return self._records(book)

    def _open(self, ledger: Path) -> Ledger:
        if ledger.exists():
            return load_ledger(ledger, self.plan.layers)
        count = chunk_count(len(self.images), self.plan.batch_size)
        tallies = empty_tallies(self.graph, self.plan.layers, self.plan.top)
        return Ledger(tallies, np.zeros(count, bool))

    def _jobs(self, book: Ledger, advance: Advance) -> Iterator[tuple[Chunk, Job]]:
        position = {name: place for place, name in enumerate(self.card.classes)}
        for chunk in chunks(len(self.images), self.plan.batch_size):
            if book.finished[chunk.number]:
                advance(len(chunk.rows))
                continue
            images = tuple(self.images[chunk.rows.start : chunk.rows.stop])
            labels = tuple(position.get(image.label, -1) for image in images)
            yield chunk, Job(self.plan, chunk.rows.start, self.store, images, labels)

    def _records(self, book: Ledger) -> dict[str, ScanRecord]:
        records = {}
        for layer, tally in book.tallies.items():
            records[layer] = record_of(tally, self.graph, layer, len(self.card.classes))
            dead = int((records[layer].image[:, 0] < 0).sum())
            log.info("%s: %d channels, %d of them dead", layer, len(tally.fired), dead)
            if tally.unranked.any():
                log.warning(
                    "%s: %d peaks in %d channels are NaN or infinite; they are not ranked",
                    layer,
                    tally.unranked.sum(),
                    np.count_nonzero(tally.unranked),
                )
        return records


def plan_scan(
    params: ScanParams, card: ModelCard, model: Path, images: Sequence[ImageRow], store: ImageStore
) -> Scan:
    """A scan of some images by the model in a folder.

    Raises AtlasError for a layer that the network lacks, or without images.
    """
    graph = card.graph()
    for layer in params.layers:
        graph.layer(layer)
    if not images:
        raise AtlasError(
            "The manifest lists no validation images.",
            fix="Raise data.val_fraction, or add a folder val/.",
        )
    layers = tuple(layer for layer in graph.layers if layer in params.layers)
    plan = Plan(
        model.absolute(), card.weights_sha256, layers, params.top, params.batch_size, params.tf32
    )
    return Scan(plan, card, images, store)


def scan_facts(
    params: ScanParams, card: ModelCard, manifest_sha256: str, device: torch.device
) -> dict[str, object]:
    """Everything that a scan's tallies depend on, for the fingerprint of its state."""
    home = Path(pipeline.__file__).parent
    return {
        "params": params.model_dump(mode="json"),
        "model": card.model_dump(mode="json"),
        "manifest": manifest_sha256,
        "code": sha256_of_code(*(home / room for room in ROOMS)),
        "packages": package_versions(),
        "device": device.type,
    }
