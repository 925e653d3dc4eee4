"""A run and a catalogue in which only what a test needs is put in by hand."""

from pathlib import Path

from atlas_site.catalogue import Catalogue
from atlas_site.layers import LayerView
from pipeline.atlas import Run
from pipeline.dataset.manifest import ImageRow, sorted_manifest
from pipeline.network.card import ModelCard
from pipeline.params import load_params
from pipeline.workspace import Workspace
from tests.workspaces import write_params

CLASSES = ("ant", "bee", "cow")


def bare_run(folder: Path) -> Run:
    """A run with a card of three classes, four images and the demo's parameters."""
    write_params(folder)
    run = Run(Workspace(folder), folder / "artifacts")
    card = ModelCard(
        arch="zfnet",
        width=0.1,
        classes=CLASSES,
        resize=72,
        crop=64,
        mean=(0.0, 0.0, 0.0),
        scale=1.0,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )
    rows = [ImageRow("train", f"{n}.png", CLASSES[n % 3], 9, 9, "") for n in range(4)]
    params = load_params(folder / "params.yaml")
    vars(run).update(card=card, manifest=sorted_manifest(rows), params=params)
    return run


def bare_catalogue(folder: Path, *layers: LayerView) -> Catalogue:
    """The catalogue of such a run, with some layers."""
    return Catalogue(bare_run(folder), layers, (), CLASSES, 64, {})
