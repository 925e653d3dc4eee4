"""`atlas crop`: cut out of the images what each projected unit sees."""

from functools import partial

from pipeline.compute.cluster import workers as start_workers
from pipeline.compute.device import parse_device
from pipeline.compute.version import versions_here
from pipeline.crop.chunk import Setting, chunk_job, cut_chunk
from pipeline.network.geometry import receptive_field
from pipeline.project.run import entry_count, numbered_chunks, run_chunks, tables
from pipeline.storage.publish import publish
from pipeline.storage.spill import Spill
from pipeline.storage.state import fingerprint, stage_state
from pipeline.workspace import Workspace
from stages.command import bar, scheduler_option, stage, workers_option
from stages.scanned import load_scanned, write_store


@stage
@workers_option
@scheduler_option
def main(workspace: Workspace, workers: int, scheduler: str | None) -> None:
    """Cut out the patch of the image that each unit sees.

    A run that was stopped goes on where it was.
    """
    run = load_scanned(workspace)
    graph = run.card.graph()
    kept = tables(graph, run.records, "crop", "uint8")
    fields = {layer: receptive_field(graph, layer) for layer in run.records}
    setting = Setting(run.images, run.card.resize, run.card.crop, fields)
    facts = run.made_from.attributes() | {"resize": run.card.resize, "code": versions_here()}
    with stage_state(workspace.state("crop"), fingerprint(facts)) as state:
        spill = Spill(state, kept)
        with (
            start_workers(scheduler, workers, parse_device("cpu")) as pool,
            bar("crop", entry_count(run.records), "entry") as advance,
        ):
            job = partial(chunk_job, setting, run.rows)
            run_chunks(pool, cut_chunk, job, numbered_chunks(run.records, kept), spill, advance)
        with publish(workspace.crops) as path:
            write_store(path, "crops", run, spill)
