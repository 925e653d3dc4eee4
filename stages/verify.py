"""`atlas verify`: hold the stores against a slow reference, and against their own rules."""

import json
from collections.abc import Iterator
from typing import Any

import click

from pipeline.compute.device import parse_device
from pipeline.errors import AtlasError
from pipeline.network.model import load_model
from pipeline.project.chunk import Setting
from pipeline.project.replay import SwitchReplay
from pipeline.storage.publish import publish
from pipeline.storage.stores import open_store
from pipeline.verify.entry import ACTIVATION_ERROR
from pipeline.verify.report import report
from pipeline.verify.sample import Stores, check_images, check_sample, draw, draw_images
from pipeline.verify.statistics import shape_faults, statistics_faults
from pipeline.verify.whole import image_faults, picture_faults, scan_faults
from pipeline.workspace import Workspace
from stages.command import bar, device_option, stage
from stages.scanned import Scanned, load_scanned

ENTRIES_PER_IMAGE = 10
"""For so many entries, one image of the split is drawn and looked for among all entries."""
TF32_ERROR = 1e-2
"""The error allowed to activations that a GPU was let to round to 10 bits."""


@stage
@device_option
@click.option(
    "--entries", type=click.IntRange(min=0), default=50, show_default=True, help="Sample size."
)
@click.option("--seed", type=int, help="Of the sample; by default the seed of params.yaml.")
def main(workspace: Workspace, device: str, entries: int, seed: int | None) -> None:
    """Recompute a sample of entries with a slow reference.

    All other entries are checked as far as that needs no network: every byte of the stores is read,
    every image shown is hashed. A few images of the split are looked for among the entries, so that
    one that the scan left out is missed. The report is written even where something is wrong; the
    command then fails.
    """
    run, on = load_scanned(workspace), parse_device(device)
    stores = _stores(workspace, run)
    faults = list(_faults(run, stores))
    seed = run.params.seed if seed is None else seed
    allowed = TF32_ERROR if run.params.scan.tf32 else ACTIVATION_ERROR
    places = [] if faults else draw(run.records, entries, seed)
    rows = [] if faults else draw_images(stores, -(-entries // ENTRIES_PER_IMAGE), seed)
    verdicts = []
    with bar("verify", len(rows) + len(places), "check") as advance:
        for found in check_images(stores, rows, allowed):
            faults += found
            advance(1)
        recall = SwitchReplay(_setting(workspace, run), run.records, run.rows, on)
        for verdict in check_sample(stores, places, recall, allowed):
            verdicts.append(verdict)
            advance(1)
    _finish(workspace, report(seed, verdicts, len(rows), faults))


def _finish(workspace: Workspace, found: dict[str, Any]) -> None:
    """Write the report. Raises AtlasError where it tells of faults."""
    with publish(workspace.report("verify.json")) as path:
        path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if found["faults"]:
        raise AtlasError(
            f"{found['faults']} faults, the first: {found['first_faults'][0]}.",
            fix="See reports/verify.json; `dvc repro -f` makes the stores anew.",
        )
    click.echo(
        "{agreed} entries agree, {tied} up to a tie, of {entries}; "
        "{images} images stand where they belong".format_map(found)
    )


def _stores(workspace: Workspace, run: Scanned) -> Stores:
    return Stores(
        load_model(workspace.model),
        run.records,
        run.rows,
        run.images,
        open_store(workspace.projections, "projections", run.made_from),
        open_store(workspace.crops, "crops", run.made_from),
    )


def _setting(workspace: Workspace, run: Scanned) -> Setting:
    """How the run projected."""
    size = run.params.project.batch_size
    return Setting(workspace.model.resolve(), run.weights, run.images, tuple(run.records), size)


def _faults(run: Scanned, stores: Stores) -> Iterator[str]:
    """What is wrong without recomputing anything."""
    finite = all(bool(w.isfinite().all()) for w in stores.model.network.parameters())
    with bar("read", len(run.records), "layer") as advance:
        for layer in run.records:
            yield from _layer_faults(run, stores, layer, finite=finite)
            advance(1)
    yield from image_faults(run.records, run.rows, run.images)


def _layer_faults(run: Scanned, stores: Stores, layer: str, *, finite: bool) -> Iterator[str]:
    """What is wrong with a layer; where shapes are, the rest cannot be told."""
    graph, record, classes = run.card.graph(), run.records[layer], run.card.classes
    if shapes := list(shape_faults(graph, layer, record, len(classes))):
        yield from shapes
        return
    yield from scan_faults(graph, layer, record, run.rows)
    yield from statistics_faults(graph, layer, record, run.rows, classes, finite=finite)
    try:
        yield from picture_faults(layer, record, stores.projections, stores.crops)
    except AtlasError as damage:
        yield damage.problem
