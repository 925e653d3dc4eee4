"""`atlas figures`: the paper's other figures and tables."""

import logging
from pathlib import Path

import torch

from pipeline.atlas import Run, open_atlas
from pipeline.compute import cluster
from pipeline.compute.device import parse_device
from pipeline.compute.pool import Pool
from pipeline.compute.version import package_versions
from pipeline.figures.figure import Figure, Work
from pipeline.figures.registry import wanted
from pipeline.storage.figures import FigureData, write_figures
from pipeline.storage.publish import publish
from pipeline.storage.reports import bound
from pipeline.storage.sealed import write_sealed
from pipeline.storage.state import fingerprint, stage_state
from pipeline.storage.versions import VERSIONS
from pipeline.workspace import Workspace
from stages.command import bar, device_option, scheduler_option, stage, workers_option
from stages.images import fetch_missing

logger = logging.getLogger(__name__)


@stage
@device_option
@workers_option
@scheduler_option
def main(workspace: Workspace, device: str, workers: int, scheduler: str | None) -> None:
    """Make the paper's other figures and tables, those that `figures.make` names.

    Writes artifacts/figures/ and reports/figures.json. Where the network or the images do not allow
    a figure, one sentence says why. An interrupted run resumes where it was.
    """
    on = parse_device(device, remote=bool(scheduler))
    fetch_missing(workspace)
    run = open_atlas(workspace.artifacts)
    with stage_state(workspace.state("figures"), _key(run, on)) as state:
        with cluster.workers(scheduler, workers, on) as pool:
            made: dict[str, FigureData] = {
                figure.name: _made(figure, run, pool, state) for figure in wanted(run)
            }
        with (
            publish(workspace.figures) as folder,
            publish(workspace.report("figures.json")) as report,
        ):
            write_figures(folder, made, run.entries_provenance)
            summaries = {name: figure.summary for name, figure in made.items()}
            write_sealed(report, summaries | bound(run.entries_provenance))


def _key(run: Run, device: torch.device) -> str:
    """Of the state: everything that a figure depends on."""
    return fingerprint(
        {
            **run.entries_provenance.attributes(),
            "params": run.params.figures.model_dump(mode="json"),
            "seed": run.params.seed,
            "version": VERSIONS["figures"],
            "packages": package_versions(),
            "device": device.type,
        }
    )


def _made(figure: Figure, run: Run, pool: Pool, state: Path) -> FigureData:
    """A figure, or the sentence that says why there is none."""
    if why := figure.missing(run):
        logger.info("No %s: %s", figure.name, why)
        return FigureData(missing=why)
    kept = state / figure.name
    kept.mkdir(exist_ok=True)
    with bar(figure.name, figure.steps(run), "step") as advance:
        return figure.compute(Work(run, pool, kept, advance))
