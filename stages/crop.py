"""`atlas crop`: cut out of the images what each projected unit sees."""

from pipeline.atlas import open_atlas
from pipeline.compute.device import parse_device
from pipeline.compute.version import versions_here
from pipeline.crop.worker import CropConfig, crop_chunk
from pipeline.entries.layer_entries import entries_of
from pipeline.entries.pictures import Pictures, PictureStage
from pipeline.entries.runner import picture_tables
from pipeline.workspace import Workspace
from stages.command import bar, scheduler_option, stage, workers_option


@stage
@workers_option
@scheduler_option
def main(workspace: Workspace, workers: int, scheduler: str | None) -> None:
    """Cut out the patch of the image that each unit sees.

    An interrupted run resumes where it was.
    """
    run = open_atlas(workspace.artifacts)
    resize, crop = run.card.resize, run.card.crop
    fields = {layer: run.field(layer) for layer in run.layers}
    shapes = {layer: record.image.shape for layer, record in run.records.items()}
    config = CropConfig(run.image_store, resize, crop, fields)
    entries = {layer: entries_of(record) for layer, record in run.records.items()}
    tables = picture_tables(run.graph, shapes, "crop", "uint8")
    PictureStage(
        "crop",
        "crops",
        (Pictures("crop", crop_chunk, config, entries, tables),),
        {"resize": resize, "code": versions_here()},
    ).run(run, workspace.crops, scheduler, workers, parse_device("cpu"), bar)
