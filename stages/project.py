"""`atlas project`: project every channel's strongest activations back to pixels."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import zarr

from pipeline.atlas import open_atlas
from pipeline.atlas.layer_entries import entries_of
from pipeline.atlas.pictures import Pictures, PictureStage
from pipeline.compute import cluster
from pipeline.compute.device import parse_device
from pipeline.compute.version import package_versions
from pipeline.network.card import start_sha256
from pipeline.project.control import CONTROL_RANKS, control_correlation
from pipeline.project.maps import map_chunk, map_tables
from pipeline.project.method import choice_of
from pipeline.project.tables import control_tables, projection_tables
from pipeline.project.worker import config_of, control_chunk, project_chunk
from pipeline.storage.versions import VERSIONS
from pipeline.workspace import Workspace
from stages.command import bar, device_option, scheduler_option, stage, workers_option
from stages.images import fetch_missing


@stage
@device_option
@workers_option
@scheduler_option
def main(workspace: Workspace, device: str, workers: int, scheduler: str | None) -> None:
    """Project the strongest activations of every channel back to pixels.

    The first ranks are projected through the network at its start too, as a control, and each
    entry gets the activation map of its whole image. An interrupted run resumes where it was.
    """
    on = parse_device(device, remote=bool(scheduler))
    fetch_missing(workspace)
    run = open_atlas(workspace.artifacts)
    config, start = config_of(run), start_sha256(workspace.model, run.card)
    choices = {layer: choice_of(run.graph, layer, config.method) for layer in run.layers}
    entries = {layer: entries_of(record) for layer, record in run.records.items()}
    first = {layer: entries_of(record, CONTROL_RANKS) for layer, record in run.records.items()}
    tables, control = (of(run.graph, run.records) for of in (projection_tables, control_tables))
    at_start = replace(config, start_seed=run.params.seed)

    def attributes(layer: zarr.Group) -> Mapping[str, Any]:
        return {
            "method": choices[layer.basename].method,
            "method_why": choices[layer.basename].why,
            "control_correlation": control_correlation(layer),
            "control_start": "snapshot" if start else "redrawn",
        }

    PictureStage(
        "project",
        "projections",
        (
            Pictures("project", project_chunk, config, entries, tables),
            Pictures("control", control_chunk, at_start, first, control),
            Pictures("maps", map_chunk, config, entries, map_tables(run.graph, run.records)),
        ),
        {
            "batch_size": config.batch_size,
            "method": config.method,
            "start": start or run.params.seed,
            "version": VERSIONS["project"],
            "packages": package_versions(),
            "device": on.type,
        },
        attributes,
    ).run(run, workspace.projections, cluster.workers(scheduler, workers, on), bar)
