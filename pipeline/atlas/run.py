"""A run as its artifacts hold it: model, images, stores, reports; for stages and notebooks."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import zarr
from jaxtyping import Int32, UInt8

from pipeline.atlas.channel_entries import ChannelEntries
from pipeline.atlas.conv_weights import ConvWeights
from pipeline.atlas.run_reports import RunReports
from pipeline.atlas.stored_pictures import StoredPictures
from pipeline.dataset.manifest import ImageRow, Manifest, read_manifest
from pipeline.dataset.store import ImageStore, open_images
from pipeline.dataset.verified import load_verified
from pipeline.errors import AtlasError
from pipeline.network.card import ModelCard, load_card
from pipeline.network.centres import Squares, unit_squares
from pipeline.network.graph import Graph
from pipeline.network.receptive_field import Field, receptive_field
from pipeline.params import Params, load_params
from pipeline.storage.entry import Entry, boxes_where_shown
from pipeline.storage.figures import FigureData, read_figures
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.scan_record import ScanRecord, scan_sha256
from pipeline.storage.stores import Kind, open_store, read_scan
from pipeline.workspace import Workspace

if TYPE_CHECKING:  # torch takes seconds to import, and most of what opens a run needs none
    import torch

    import pipeline.network.model
    import pipeline.network.module


def open_atlas(artifacts: str | Path) -> "Run":
    """Open the artifacts of a run as far as it has come; nothing big is read before it is needed.

    >>> atlas = open_atlas("artifacts")
    >>> atlas.top("conv3", 17)[0].projection.shape
    (75, 75, 3)

    Raises AtlasError where the model, the manifest or the scan is missing, or where the scan was
    made from another model or manifest.
    """
    folder = Path(artifacts).resolve()
    if not folder.is_dir():
        raise AtlasError(f"There is no folder {folder}.", fix="Run `dvc repro`.")
    run = Run(Workspace(folder.parent), folder)
    run.store("scan")
    return run


@dataclass(frozen=True, eq=False)
class Run:
    """The artifacts of one run. Stores of another model or manifest are refused when read."""

    workspace: Workspace
    """The run's folder, which holds params.yaml and the reports."""
    artifacts: Path
    """The folder that was opened."""
    _stores: dict[Kind, zarr.Group] = field(default_factory=dict, init=False, repr=False)
    _fields: dict[str, Field] = field(default_factory=dict, init=False, repr=False)
    _scans: dict[str, ScanRecord] = field(default_factory=dict, init=False, repr=False)

    @property
    def model_folder(self) -> Path:
        """The folder with the model's files; absolute, for workers elsewhere."""
        return (self.artifacts / "model").resolve()

    @cached_property
    def card(self) -> ModelCard:
        """The model's card: architecture, classes, normalisation, hashes."""
        return load_card(self.model_folder)

    @cached_property
    def graph(self) -> Graph:
        """The network's description."""
        return self.card.graph()

    @cached_property
    def manifest(self) -> Manifest:
        """The usable images of both splits."""
        return read_manifest(self._manifest_path)

    @cached_property
    def provenance(self) -> Provenance:
        """The model and the manifest, which the scan was made from."""
        manifest = sha256_of(self._manifest_path)
        return Provenance(self.card.weights_sha256, manifest, self.card.sha256)

    @cached_property
    def entries_provenance(self) -> Provenance:
        """The model, the manifest and the scan's entries, which pictures are made from."""
        return replace(self.provenance, scan_sha256=scan_sha256(self.records))

    @cached_property
    def params(self) -> Params:
        """The run's params.yaml."""
        return load_params(self.workspace.params)

    @cached_property
    def image_store(self) -> ImageStore:
        """Where the images of the manifest are."""
        return open_images(self.workspace.images(self.params.data.root))

    @property
    def images(self) -> tuple[ImageRow, ...]:
        """The validation images; a position is an image row."""
        return self.manifest.split("val")

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the scanned layers, in the order of the network."""
        scanned = {name for name, _ in self.store("scan").groups()}
        return tuple(layer for layer in self.graph.layers if layer in scanned)

    @cached_property
    def records(self) -> dict[str, ScanRecord]:
        """The scan by layer, in the order of the network."""
        return {layer: self.scan(layer) for layer in self.layers}

    @cached_property
    def loaded_model(self) -> "pipeline.network.model.Model":
        """The trained network with its card and its input's normalisation."""
        from pipeline.network.model import load_model  # here, for its torch

        return load_model(self.model_folder)

    def model(self) -> "pipeline.network.module.Network":
        """The trained network, in eval mode, on the CPU."""
        return self.loaded_model.network

    def image(self, row: int) -> UInt8[np.ndarray, "crop crop 3"]:
        """The network input of a validation image before normalisation.

        Raises AtlasError where the file is not the one that the run saw.
        """
        return load_verified(self.image_store, self._image_row(row), *self.card.framing)

    def input(self, row: int) -> "torch.Tensor":
        """The network input of a validation image: (pixel − mean) × scale, as (3, crop, crop)."""
        return self.loaded_model.input_of(self.image(row))

    def field(self, layer: str) -> Field:
        """The receptive field of a layer's units."""
        if layer not in self._fields:
            self._fields[layer] = receptive_field(self.graph, layer)
        return self._fields[layer]

    def cell_squares(self, layer: str) -> Squares:
        """Where the squares of the cells of a layer's map are in the image."""
        return unit_squares(self.graph, layer)

    def frames(self, layer: str) -> Int32[np.ndarray, "channel rank 4"]:
        """By entry, the part of the image that its pictures show, as boxes are; 0 where missing.

        The entry's box, but in a concatenation, whose channels see less than the largest branch.
        """
        record = self.scan(layer)
        return boxes_where_shown(record.image, self.field(layer).boxes(record.cell))

    def example_frames(self, layer: str) -> Int32[np.ndarray, "channel example 4"]:
        """The same of a layer's examples, which its scan must have."""
        examples = self.scan(layer).examples
        assert examples is not None
        return boxes_where_shown(
            examples.example_image, self.field(layer).boxes(examples.example_cell)
        )

    def scan(self, layer: str) -> ScanRecord:
        """The top entries and the statistics of a layer's channels."""
        if layer not in self._scans:
            self._scans[layer] = read_scan(self.store("scan"), layer)
        return self._scans[layer]

    def top(self, layer: str, channel: int) -> list[Entry]:
        """The strongest images of a channel, strongest first, one entry per rank.

        Raises AtlasError for a layer or channel that the scan does not hold.
        """
        entries = self._channel_entries(layer, channel)
        return [entries.at(rank) for rank in range(entries.record.image.shape[1])]

    def entry(self, layer: str, channel: int, rank: int) -> Entry:
        """One entry by its address. Raises AtlasError as `top` does."""
        return self._channel_entries(layer, channel).at(rank)

    def store(self, kind: Kind) -> zarr.Group:
        """An open store of this run, known to be made from its model and manifest."""
        if kind not in self._stores:
            path = self.artifacts / f"{kind}.zarr"
            made_from = self.provenance if kind == "scan" else self.entries_provenance
            self._stores[kind] = open_store(path, kind, made_from)
        return self._stores[kind]

    @cached_property
    def pictures(self) -> StoredPictures:
        """What the stores of projections and crops hold."""
        return StoredPictures(self.store)

    @cached_property
    def weights(self) -> ConvWeights:
        """The filters of the conv layers, and what is known of their start."""
        return ConvWeights(self.model_folder, self.card, self.graph)

    @property
    def reports(self) -> RunReports:
        """What the stages reported."""
        return RunReports(
            self.workspace,
            self.artifacts,
            self.card.trained_from,
            self.provenance,
            lambda: self.entries_provenance,
        )

    @cached_property
    def figures(self) -> dict[str, FigureData]:
        """The paper's other figures, by name; empty where that stage has not run."""
        return read_figures(self.artifacts / "figures", self.entries_provenance)

    @property
    def _manifest_path(self) -> Path:
        return self.artifacts / "manifest.csv"

    def _image_row(self, row: int) -> ImageRow:
        if not 0 <= row < len(self.images):
            raise AtlasError(
                f"There is no validation image row {row}.",
                fix=f"Choose one of 0 to {len(self.images) - 1}.",
            )
        return self.images[row]

    def _channel_entries(self, layer: str, channel: int) -> ChannelEntries:
        record = self.scan(layer)
        channels = len(record.fired)
        if not 0 <= channel < channels:
            raise AtlasError(
                f"{layer} has no channel {channel}.", fix=f"Choose one of 0 to {channels - 1}."
            )
        pictures = self.pictures.read(layer, slice(channel, channel + 1))
        return ChannelEntries(layer, channel, record, pictures, self._image_row)
