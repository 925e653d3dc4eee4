"""Figure 4: the strongest training image of a few channels after every epoch that was kept.

Each snapshot sees the same training images, through the scan's own code; the strongest unit of
each channel is then projected through the snapshot's weights.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float16, Float32, Int32

from pipeline.atlas import Run
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.runner import entry_task
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.seeding import rng_for
from pipeline.figures.figure import Work
from pipeline.figures.history import History
from pipeline.network.card import check_snapshot, named_snapshots
from pipeline.network.receptive_field import receptive_field
from pipeline.params.figures import FigureName
from pipeline.project.worker import ProjectConfig, ProjectTask, project_chunk
from pipeline.scan.layer_statistics import LayerStatistics
from pipeline.scan.scan import Scan
from pipeline.scan.worker import ScanConfig
from pipeline.storage.figures import Arrays, FigureData

log = logging.getLogger(__name__)

BATCH = 32

Channels = Mapping[str, Sequence[int]]
"""The channels that are followed, ascending, by layer."""


@dataclass(frozen=True)
class Snapshot:
    """The weights after an epoch."""

    epoch: int
    """0 is the start."""
    weights_sha256: str

    @property
    def name(self) -> str:
        """Of its kept results; other weights have another."""
        return f"epoch_{self.epoch}_{self.weights_sha256[:12]}"


@dataclass(frozen=True)
class Strongest:
    """The strongest unit of each followed channel of a layer, over the images shown."""

    image: Int32[np.ndarray, " channel"]
    """Image row among the training images; −1 where none excites the channel."""
    activation: Float32[np.ndarray, " channel"]
    cell: Int32[np.ndarray, "channel 2"]


class Evolution:
    """Projections by channel and epoch, and when the winning image changed."""

    name: FigureName = "evolution"

    def missing(self, run: Run) -> str:
        """It needs snapshots from the training run, and training images."""
        if len(named_snapshots(run.model_folder, run.card)) < 2:
            return (
                "It shows a network while it learns, and fewer than two snapshots of this one are "
                "kept: it was trained elsewhere, or train.snapshots names no epoch."
            )
        return "" if run.manifest.split("train") else "The manifest has no training images."

    def steps(self, run: Run) -> int:
        """For each snapshot one for each image, and one for the projections."""
        return len(named_snapshots(run.model_folder, run.card)) * (len(shown_rows(run)) + 1)

    def compute(self, work: Work) -> FigureData:
        """Scan and project every snapshot."""
        run, channels, snapshots = work.run, followed(work.run), _snapshots(work.run)
        strongest = [_strongest(work, one, channels) for one in snapshots]
        jobs = {
            one.name: _project_job(run, one, channels, layers)
            for one, layers in zip(snapshots, strongest, strict=True)
            if any((layer.image >= 0).any() for layer in layers.values())
        }
        work.advance(len(snapshots) - len(jobs))
        made = work.each(project_strongest, jobs)
        pictures = [made.get(one.name, {}) for one in snapshots]
        histories = [
            History(
                layer,
                channels[layer],
                [one.epoch for one in snapshots],
                np.stack([layers[layer].image for layers in strongest], axis=1),
                np.stack([layers[layer].activation for layers in strongest], axis=1),
            )
            for layer in channels
        ]
        facts = {
            "epochs": [one.epoch for one in snapshots],
            "training_images": len(shown_rows(run)),
            "layers": [history.facts() for history in histories],
            "images": _image_facts(run.manifest.split("train"), histories),
        }
        arrays = {
            f"projection_{layer}": _stacked(run, layer, channels[layer], pictures)
            for layer in channels
        }
        summary: dict[str, float] = {}
        for history in histories:
            summary |= history.summary()
        return FigureData(facts, arrays, summary)


def shown_rows(run: Run) -> list[int]:
    """The training images that every snapshot sees: all, or as many as asked for, by the seed."""
    total, wanted = len(run.manifest.split("train")), run.params.figures.evolution.images
    if wanted is None or wanted >= total:
        return list(range(total))
    drawn = rng_for(run.params.seed, "evolution images").permutation(total)[:wanted]
    return sorted(drawn.tolist())


def followed(run: Run) -> dict[str, list[int]]:
    """The channels of each scanned layer that are followed, drawn by the seed, dead or not."""
    count, found = run.params.figures.evolution.channels, {}
    for place, layer in enumerate(run.layers):
        order = rng_for(run.params.seed, "evolution channels", place)
        found[layer] = sorted(order.permutation(run.graph.layer(layer).channels)[:count].tolist())
    return found


def project_strongest(task: ProjectTask, device: torch.device) -> Arrays:
    """By layer, the projections of a snapshot's units and their channels.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    arrays: Arrays = {}
    for layer, values in project_chunk(task, device).items():
        arrays[f"channel_{layer}"] = values.channel
        arrays[f"projection_{layer}"] = values.arrays["projection"]
    return arrays


def _snapshots(run: Run) -> list[Snapshot]:
    folder, card = run.model_folder, run.card
    return [
        Snapshot(epoch, check_snapshot(folder, card, epoch))
        for epoch in named_snapshots(folder, card)
    ]


def _strongest(work: Work, snapshot: Snapshot, channels: Channels) -> dict[str, Strongest]:
    """One pass of a snapshot over the images shown, by layer; an interrupted one resumes."""
    run, rows = work.run, shown_rows(work.run)
    train = run.manifest.split("train")
    config = ScanConfig(
        run.model_folder,
        run.card.sha256,
        tuple(channels),
        top=1,
        batch_size=BATCH,
        tf32=False,
        snapshot=snapshot.epoch,
    )
    scan = Scan(config, run.card, [train[row] for row in rows], run.image_store)
    log.info("Epoch %d", snapshot.epoch)
    layers = scan.run(work.pool, work.kept / f"scan_{snapshot.name}", work.advance)
    return {
        layer: _of_channels(statistics, channels[layer], np.array(rows, np.int32))
        for layer, statistics in layers.items()
    }


def _of_channels(
    statistics: LayerStatistics, channels: Sequence[int], rows: Int32[np.ndarray, " shown"]
) -> Strongest:
    found = statistics.by_name["strongest"].result()
    image, activation, cell = (
        found[name].values[list(channels), 0] for name in ("image", "activation", "cell")
    )
    return Strongest(np.where(image >= 0, rows[image], np.int32(-1)), activation, cell)


def _project_job(
    run: Run, snapshot: Snapshot, channels: Channels, layers: Mapping[str, Strongest]
) -> ProjectTask:
    config = ProjectConfig(
        run.model_folder,
        run.card.sha256,
        run.image_store,
        tuple(channels),
        batch_size=BATCH,
        ranks=1,
        method=run.params.project.method,
        snapshot=snapshot.epoch,
    )
    entries = {layer: _entries(one, channels[layer]) for layer, one in layers.items()}
    chunk = {layer: found for layer, found in entries.items() if len(found)}
    return entry_task(config, run.manifest.split("train"), chunk)


def _entries(strongest: Strongest, channels: Sequence[int]) -> LayerEntries:
    """In the order of images that the projecting wants; channels without an image are left out."""
    order = np.argsort(strongest.image, kind="stable")
    order = order[strongest.image[order] >= 0]
    return LayerEntries(
        np.array(channels, np.int64)[order],
        np.zeros(len(order), np.int64),
        strongest.image[order],
        strongest.cell[order],
        strongest.activation[order],
    )


def _stacked(
    run: Run, layer: str, channels: Sequence[int], pictures: Sequence[Arrays]
) -> Float16[np.ndarray, "channel epoch row col 3"]:
    """A layer's projections; 0 where no image excited a channel."""
    size = receptive_field(run.graph, layer).size
    whole = np.zeros((len(channels), len(pictures), *size, 3), np.float16)
    for epoch, arrays in enumerate(pictures):
        if f"channel_{layer}" in arrays:
            places = np.searchsorted(channels, arrays[f"channel_{layer}"])
            whole[places, epoch] = arrays[f"projection_{layer}"]
    return whole


def _image_facts(
    train: Sequence[ImageRow], histories: Sequence[History]
) -> dict[str, dict[str, str]]:
    """Path and class of each image that won, by its row."""
    rows = np.unique(np.concatenate([history.image.ravel() for history in histories]))
    return {
        str(row): {"path": train[row].path, "label": train[row].label}
        for row in rows.tolist()
        if row >= 0
    }
