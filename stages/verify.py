"""`atlas verify`: compare the stores with a slow reference, and with their own rules."""

import click

from pipeline.atlas import open_atlas
from pipeline.compute.device import parse_device
from pipeline.errors import AtlasError
from pipeline.project.replay import SwitchReplay
from pipeline.project.worker import config_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.publish import publish
from pipeline.storage.reports import write_report
from pipeline.storage.verification_report import VerificationReport
from pipeline.verify.entry import ACTIVATION_ERROR
from pipeline.verify.reference import Reference
from pipeline.verify.report import verification_report
from pipeline.verify.sample import check_sample, draw_sample
from pipeline.verify.store_faults import store_faults
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
    with bar("read", len(run.records), "layer") as advance:
        faults = list(store_faults(run, projections, crops, advance))
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
    report = verification_report(seed, verdicts, images, faults)
    _finish(workspace, report, run.entries_provenance)


def _finish(workspace: Workspace, report: VerificationReport, made_from: Provenance) -> None:
    """Write the report. Raises AtlasError where it lists faults."""
    with publish(workspace.report("verify.json")) as path:
        write_report(path, report, made_from)
    if report.faults:
        raise AtlasError(
            f"{report.faults} faults, the first: {report.first_faults[0]}.",
            fix="See reports/verify.json; `dvc repro -f` makes the stores again.",
        )
    count = report.count
    click.echo(
        f"{count.agreed} entries agree, {count.tied} up to a tie, of {count.entries}; "
        f"{report.images} images are ranked where they belong"
    )
