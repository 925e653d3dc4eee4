"""`atlas project`: project every channel's strongest activations back to pixels."""

from functools import partial

from pipeline.compute.cluster import workers as start_workers
from pipeline.compute.device import parse_device
from pipeline.compute.version import versions_here
from pipeline.project.chunk import Setting, chunk_job, project_chunk
from pipeline.project.run import entry_count, numbered_chunks, run_chunks, tables
from pipeline.storage.publish import publish
from pipeline.storage.spill import Spill
from pipeline.storage.state import fingerprint, stage_state
from pipeline.workspace import Workspace
from stages.command import bar, device_option, scheduler_option, stage, workers_option
from stages.scanned import load_scanned, write_store


@stage
@device_option
@workers_option
@scheduler_option
def main(workspace: Workspace, device: str, workers: int, scheduler: str | None) -> None:
    """Project each of them back to pixels with the deconvnet.

    A run that was stopped goes on where it was.
    """
    on = parse_device(device, elsewhere=bool(scheduler))
    run = load_scanned(workspace)
    graph, size = run.card.graph(), run.params.project.batch_size
    kept = tables(graph, run.records, "projection", "float16", "scale")
    setting = Setting(workspace.model.resolve(), run.weights, run.images, tuple(run.records), size)
    own = {"batch_size": size, "code": versions_here(), "device": on.type}
    facts = run.made_from.attributes() | own
    with stage_state(workspace.state("project"), fingerprint(facts)) as state:
        spill = Spill(state, kept)
        with (
            start_workers(scheduler, workers, on) as pool,
            bar("project", entry_count(run.records), "entry") as advance,
        ):
            job = partial(chunk_job, setting, run.rows)
            run_chunks(pool, project_chunk, job, numbered_chunks(run.records, kept), spill, advance)
        with publish(workspace.projections) as path:
            write_store(path, "projections", run, spill)
