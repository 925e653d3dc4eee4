"""`atlas project`: project every channel's strongest activations back to pixels."""

from pipeline.atlas import open_atlas
from pipeline.compute.device import parse_device
from pipeline.compute.version import versions_here
from pipeline.entries.pictures import PictureStage
from pipeline.entries.runner import picture_tables
from pipeline.project.worker import config_of, project_chunk
from pipeline.workspace import Workspace
from stages.command import bar, device_option, scheduler_option, stage, workers_option


@stage
@device_option
@workers_option
@scheduler_option
def main(workspace: Workspace, device: str, workers: int, scheduler: str | None) -> None:
    """Project the strongest activations of every channel back to pixels with the deconvnet.

    An interrupted run resumes where it was.
    """
    on = parse_device(device, elsewhere=bool(scheduler))
    run = open_atlas(workspace.artifacts)
    config = config_of(run)
    PictureStage(
        "project",
        "projections",
        project_chunk,
        config,
        picture_tables(run.graph, run.records, "projection", "float16", "scale"),
        {"batch_size": config.batch_size, "code": versions_here(), "device": on.type},
    ).run(run, workspace.projections, scheduler, workers, on, bar)
