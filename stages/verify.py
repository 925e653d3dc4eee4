"""`atlas verify`: hold the stores against a slow reference, and against their own rules."""

import json
from collections.abc import Iterator

import click

from pipeline.compute.device import parse_device
from pipeline.errors import AtlasError
from pipeline.network.model import load_model
from pipeline.project.chunk import Setting
from pipeline.project.recall import Recall
from pipeline.storage.publish import publish
from pipeline.storage.stores import open_store
from pipeline.verify.entry import ACTIVATION_ERROR
from pipeline.verify.report import all_faults, report
from pipeline.verify.sample import Stores, check_sample, draw
from pipeline.verify.statistics import shape_faults, statistics_faults
from pipeline.verify.whole import image_faults, picture_faults, scan_faults
from pipeline.workspace import Workspace
from stages.command import bar, device_option, stage
from stages.scanned import Scanned, load_scanned

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
    every image shown is hashed. The report is written even where something is wrong; the command
    then fails.
    """
    run, on = load_scanned(workspace), parse_device(device)
    stores = Stores(
        load_model(workspace.model),
        run.records,
        run.rows,
        run.images,
        open_store(workspace.projections, "projections", run.made_from),
        open_store(workspace.crops, "crops", run.made_from),
    )
    faults = list(_faults(run, stores))
    seed = run.params.seed if seed is None else seed
    places = [] if faults else draw(run.records, entries, seed)
    setting = Setting(
        workspace.model.resolve(),
        run.weights,
        run.images,
        tuple(run.records),
        run.params.project.batch_size,
    )
    allowed = TF32_ERROR if run.params.scan.tf32 else ACTIVATION_ERROR
    verdicts = []
    with bar("verify", len(places), "entry") as advance:
        recall = Recall(setting, run.records, run.rows, on)
        for verdict in check_sample(stores, places, recall, allowed):
            verdicts.append(verdict)
            advance(1)
    found = report(seed, verdicts, faults)
    with publish(workspace.report("verify.json")) as path:
        path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", "utf-8")
    if found["faults"]:
        raise AtlasError(
            f"{found['faults']} faults, the first: {all_faults(verdicts, faults)[0]}.",
            fix="See reports/verify.json; `dvc repro -f` makes the stores anew.",
        )
    click.echo("{agreed} entries agree, {tied} up to a tie, of {entries}".format_map(found))


def _faults(run: Scanned, stores: Stores) -> Iterator[str]:
    """What is wrong without recomputing anything."""
    with bar("read", len(run.records), "layer") as advance:
        for layer in run.records:
            yield from _layer_faults(run, stores, layer)
            advance(1)
    yield from image_faults(run.records, run.rows, run.images)


def _layer_faults(run: Scanned, stores: Stores, layer: str) -> Iterator[str]:
    """What is wrong with a layer; where shapes are, the rest cannot be told."""
    chain, record, classes = run.card.chain(), run.records[layer], run.card.classes
    if shapes := list(shape_faults(chain, layer, record, len(classes))):
        yield from shapes
        return
    yield from scan_faults(chain, layer, record, run.rows)
    yield from statistics_faults(chain, layer, record, run.rows, classes)
    try:
        yield from picture_faults(layer, record, stores.projections, stores.crops)
    except AtlasError as damage:
        yield damage.problem
