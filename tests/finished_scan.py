"""A small finished run, as far as the scan, made without the stages that make one."""

from pathlib import Path

import numpy as np
import torch
import zarr
from PIL import Image

from pipeline.dataset.manifest import ImageRow
from pipeline.network.architectures import Variant, build_chain
from pipeline.network.card import ModelCard
from pipeline.network.model import load_model, save_model
from pipeline.network.module import Network
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.stores import create_store, seal, write_scan
from pipeline.workspace import Workspace
from tests.squares import load_square
from tests.workspaces import waves, write_listing, write_params

CLASSES = ("one", "two")
CROP, RESIZE, WIDTH = 64, 72, 0.05


def finished_scan(folder: Path, layers=("conv1", "conv2", "conv3", "conv4", "conv5", "fc8")):
    """A workspace with a random model, 14 images of which 5 are mostly flat, and their scan."""
    workspace = Workspace(folder)
    folder.mkdir(exist_ok=True)
    write_params(folder, {"data": {"root": str(folder / "photos")}})
    rows = _write_images(folder / "photos")
    workspace.model.mkdir(parents=True)
    write_listing(workspace, rows)
    _write_model(workspace)
    _write_scan(workspace, [row for row in rows if row.split == "val"], layers)
    return workspace


def _write_images(folder: Path):
    folder.mkdir()
    rows = []
    for number in range(14):
        pixels = waves(np.random.default_rng(number), number)
        if number % 3 == 0:
            flat = np.full_like(pixels, 255)
            flat[20:40, 30:60] = pixels[20:40, 30:60]
            pixels = flat
        path = folder / f"{number:02}.png"
        Image.fromarray(pixels).save(path)
        label = CLASSES[number % 2]
        rows.append(ImageRow("val", path.name, label, 96, 80, sha256_of(path)))
    rows += [ImageRow("train", row.path, row.label, 96, 80, row.sha256) for row in rows]
    return rows


def _write_model(workspace: Workspace):
    chance = torch.Generator().manual_seed(0)
    network = Network(build_chain("zfnet", 2, CROP, Variant(WIDTH, fc_features=320, dropout=0.0)))
    weights = {
        name: torch.randn(values.shape, generator=chance)
        * ((2 / values[0].numel()) ** 0.5 if values.ndim > 1 else 0.0)
        for name, values in network.named_parameters()
    }
    card = ModelCard(
        arch="zfnet",
        width=WIDTH,
        fc_features=320,
        classes=CLASSES,
        resize=RESIZE,
        crop=CROP,
        mean=(120.0, 120.0, 120.0),
        scale=0.02,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256=sha256_of(workspace.manifest),
    )
    save_model(workspace.model, card, weights)


def show_scan(store: Path, scan_sha256: str) -> None:
    """Have a store of pictures say that it shows a scan; what signed its metadata goes."""
    root = zarr.open_group(store, mode="r+")
    attributes = root.attrs.asdict() | {"scan_sha256": scan_sha256}
    root.attrs.put({name: value for name, value in attributes.items() if "metadata" not in name})


def _write_scan(workspace: Workspace, rows, layers):
    """Brute force: every activation of every image, sorted."""
    model = load_model(workspace.model)
    folder = workspace.root / "photos"
    pixels = np.stack([load_square(folder / row.path, RESIZE, CROP) for row in rows])
    inputs = model.normalisation(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    made_from = Provenance(
        model.card.weights_sha256, sha256_of(workspace.manifest), model.card.sha256
    )
    root = create_store(workspace.scan, "scan", made_from)
    labels = np.array([CLASSES.index(row.label) for row in rows])
    for layer, maps in model.network.activations(inputs, layers).items():
        write_scan(root, layer, _record(model.graph, layer, maps, labels).variables())
    seal(root)


def _record(graph, layer, maps, labels):
    flat = maps.flatten(2).numpy() if maps.ndim == 4 else maps[:, :, None].numpy()
    side, channels = graph.layer(layer).size[1], flat.shape[1]
    order = np.argsort(-flat.max(axis=2), axis=0, kind="stable")[:9].T.astype(np.int32)
    activation = flat.max(axis=2)[order, np.arange(channels)[:, None]]
    place = flat.argmax(axis=2)[order, np.arange(channels)[:, None]]
    cell = np.stack([place // side, place % side], axis=2).astype(np.int32)
    box = _boxes(layer, cell)
    if layer != "fc8":
        dead = activation <= 0
        order[dead], cell[dead], box[dead], activation[dead] = -1, -1, 0, 0
    peaks = flat.max(axis=2)
    end = float(2 * np.abs(peaks).max())
    edges = np.linspace(-end if layer == "fc8" else 0, end, 65)
    return ScanRecord(
        activation,
        order,
        cell,
        box,
        np.stack([np.histogram(peaks[:, c], edges)[0] for c in range(channels)]),
        (peaks > 0).sum(axis=0),
        np.stack([peaks[labels == c].mean(axis=0) for c in range(len(CLASSES))], axis=1),
        tuple(edges.tolist()),
    )


ENDLESS = {"conv1": (7, 2, 0), "conv2": (27, 8, 0), "conv3": (75, 16, -16),
           "conv4": (107, 16, -32), "conv5": (139, 16, -48)}  # fmt: skip
"""Size, jump and start of fields in an endless image, from the table of the paper's numbers."""
FIELDS = {layer: field if field[0] < CROP else (CROP, 0, 0) for layer, field in ENDLESS.items()}
"""A field as large as the image is the image."""


def _boxes(layer, cell):
    size, jump, start = FIELDS.get(layer, (CROP, 0, 0))
    first = cell * jump + start
    return np.concatenate([first, first + size], axis=2).astype(np.int32)
