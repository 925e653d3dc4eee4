"""What project, crop and verify share: the finished scan and what it was made from."""

from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.dataset.manifest import ImageRow, read_manifest
from pipeline.dataset.store import ImageStore, open_images
from pipeline.network.model import ModelCard, load_card
from pipeline.params import Params, load_params
from pipeline.storage.hashing import sha256_of
from pipeline.storage.spill import Spill
from pipeline.storage.stores import (
    Kind,
    Provenance,
    ScanRecord,
    create_store,
    open_store,
    read_scan,
    scan_sha256,
    seal,
)
from pipeline.workspace import Workspace
from stages.command import bar


@dataclass(frozen=True)
class Scanned:
    """A run as far as the scan."""

    params: Params
    card: ModelCard
    rows: tuple[ImageRow, ...]
    """The validation rows of the manifest: a position is an image row."""
    images: ImageStore
    """Where the rows' images are."""
    made_from: Provenance
    """What the scan's entries, and so their pictures, come from."""
    records: dict[str, ScanRecord]
    """The scan by layer, in the order of the network."""

    @property
    def weights(self) -> str:
        """The hash of the model's weights."""
        return self.made_from.weights_sha256


def load_scanned(workspace: Workspace) -> Scanned:
    """Read the scan with its provenance checked, layers in the order of the network.

    Raises AtlasError where a part is missing or the scan belongs to another model or manifest.
    """
    params, card = load_params(workspace.params), load_card(workspace.model)
    rows = read_manifest(workspace.manifest).split("val")
    made_from = Provenance(card.weights_sha256, sha256_of(workspace.manifest))
    store = open_store(workspace.scan, "scan", made_from)
    found = {name for name, _ in store.groups()}
    records = {name: read_scan(store, name) for name in card.graph().layers if name in found}
    images = open_images(workspace.images(params.data.root))
    pictured = replace(made_from, scan_sha256=scan_sha256(records))
    return Scanned(params, card, rows, images, pictured, records)


def write_store(path: Path, kind: Kind, run: Scanned, spill: Spill) -> None:
    """Write a store of pictures of the scan's entries, whole, at a path from `publish`."""
    store = create_store(path, kind, run.made_from)
    with bar("write", len(run.records), "layer") as advance:
        for layer in run.records:
            spill.write_layer(store, kind, layer)
            advance(1)
    seal(store)
