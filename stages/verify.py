"""`atlas verify`: compare the stores with a slow reference, and with their own rules."""

from collections.abc import Iterator
from typing import Any

import click
import zarr

from pipeline.atlas import Run, open_atlas
from pipeline.compute.device import parse_device
from pipeline.errors import AtlasError
from pipeline.project.replay import SwitchReplay
from pipeline.project.worker import config_of
from pipeline.storage.publish import publish
from pipeline.storage.reports import bound
from pipeline.storage.sealed import write_sealed
from pipeline.storage.stores import ScanRecord
from pipeline.verify.consistency import image_faults, picture_faults, scan_faults
from pipeline.verify.entry import ACTIVATION_ERROR
from pipeline.verify.examples import example_faults
from pipeline.verify.reference import Reference
from pipeline.verify.report import verify_report
from pipeline.verify.sample import check_sample, draw_sample
from pipeline.verify.statistics import shape_faults, statistics_faults
from pipeline.workspace import Workspace
from stages.command import alone, bar, device_option, stage
from stages.images import fetch_missing

ENTRIES_PER_IMAGE = 10
"""For so many entries, one image of the split is drawn and looked for among all entries."""
TF32_ERROR = 1e-2
"""The error allowed to activations that a GPU was let to round to 10 bits."""


@stage
@alone
@device_option
@click.option(
    "--entries", type=click.IntRange(min=0), default=200, show_default=True, help="Sample size."
)
@click.option("--seed", type=int, help="Seed of the sample; default: params.yaml's.")
def main(workspace: Workspace, device: str, entries: int, seed: int | None) -> None:
    """Recompute a sample of entries with a slow reference.

    All other entries are checked as far as that needs no network: every byte of the stores is read,
    every image shown is hashed. A few images of the split are looked for among the entries, so that
    images omitted by the scan are detected. The report is written even where something is wrong;
    the command then fails.
    """
    fetch_missing(workspace)
    run, on = open_atlas(workspace.artifacts), parse_device(device)
    projections, crops = run.store("projections"), run.store("crops")
    faults = list(_faults(run, projections, crops))
    seed = run.params.seed if seed is None else seed
    allowed = TF32_ERROR if run.params.scan.tf32 else ACTIVATION_ERROR
    looked_for = min(-(-entries // ENTRIES_PER_IMAGE), len(run.images))
    samples = []
    shown = {layer: record.image for layer, record in run.records.items()}
    if not faults:
        samples = draw_sample(shown, len(run.images), entries, looked_for, seed)
    verdicts = []
    methods = {name: str(group.attrs["method"]) for name, group in projections.groups()}
    reference = Reference(run.graph, run.model().state_dict(), methods)
    replay = SwitchReplay(config_of(run), run.records, run.images, on)
    with bar("verify", sum(len(sample.addresses) for sample in samples), "entry") as advance:
        for sample in samples:
            found, lacking = check_sample(run, reference, sample, replay, allowed)
            verdicts += found
            faults += lacking
            advance(len(found))
    images = sum(sample.in_all_layers for sample in samples)
    numbers = verify_report(seed, verdicts, images, faults)
    _finish(workspace, numbers | bound(run.entries_provenance))


def _finish(workspace: Workspace, found: dict[str, Any]) -> None:
    """Write the report. Raises AtlasError where it lists faults."""
    with publish(workspace.report("verify.json")) as path:
        write_sealed(path, found)
    if found["faults"]:
        raise AtlasError(
            f"{found['faults']} faults, the first: {found['first_faults'][0]}.",
            fix="See reports/verify.json; `dvc repro -f` makes the stores again.",
        )
    click.echo(
        "{agreed} entries agree, {tied} up to a tie, of {entries}; "
        "{images} images are ranked where they belong".format_map(found)
    )


def _faults(run: Run, projections: zarr.Group, crops: zarr.Group) -> Iterator[str]:
    """What is wrong without recomputing anything."""
    finite = all(bool(w.isfinite().all()) for w in run.model().state_dict().values())
    with bar("read", len(run.records), "layer") as advance:
        for layer, record in run.records.items():
            if shapes := list(shape_faults(run.graph, layer, record, len(run.card.classes))):
                yield from shapes  # whatever else is wrong cannot be said of such arrays
            else:
                yield from _layer_faults(run, layer, finite=finite)
                yield from _picture_faults(run, layer, record, projections, crops)
            advance(1)
    yield from image_faults(run.records, run.images, run.image_store)


def _layer_faults(run: Run, layer: str, *, finite: bool) -> Iterator[str]:
    """What is wrong with a layer of the scan."""
    graph, record, rows = run.graph, run.records[layer], run.images
    yield from scan_faults(graph, layer, record, rows)
    yield from statistics_faults(graph, layer, record, rows, run.card.classes, finite=finite)


def _picture_faults(
    run: Run, layer: str, record: ScanRecord, projections: zarr.Group, crops: zarr.Group
) -> Iterator[str]:
    """What is wrong with a layer's pictures, damaged bytes included."""
    try:
        yield from picture_faults(run.graph, layer, record, projections, crops)
        yield from example_faults(run.graph, layer, record, run.images, crops)
    except AtlasError as damage:
        yield damage.problem
