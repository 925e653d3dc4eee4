"""`atlas crop`: cut out of the images what each projected unit sees."""

from pipeline.atlas import open_atlas
from pipeline.atlas.pictures import PictureStage
from pipeline.compute import pool
from pipeline.compute.pool import Place
from pipeline.compute.version import package_versions
from pipeline.crop.patches import patches_of
from pipeline.storage.versions import VERSIONS
from pipeline.workspace import Workspace
from stages.command import bar, scheduler_option, stage, workers_option
from stages.images import fetch_missing


@stage
@workers_option
@scheduler_option
def main(workspace: Workspace, workers: int, scheduler: str | None) -> None:
    """Cut out the patch of the image that each unit sees, and those of the examples.

    An interrupted run resumes where it was.
    """
    fetch_missing(workspace)
    run = open_atlas(workspace.artifacts)
    facts = {
        "framing": list(run.card.framing),
        "version": VERSIONS["crop"],
        "packages": package_versions(),
    }
    pictures = PictureStage("crop", "crops", patches_of(run), facts)
    pictures.run(run, workspace.crops, pool.open_pool(scheduler, workers, Place()), bar)
