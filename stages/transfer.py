"""`atlas transfer`: Table 4 of the paper."""

from pathlib import Path

import click

from pipeline.compute.device import parse_device
from pipeline.cores import cores
from pipeline.dataset.manifest import read_manifest
from pipeline.dataset.store import open_images
from pipeline.errors import AtlasError
from pipeline.network.model import load_model
from pipeline.params import load_params
from pipeline.storage.hashing import sha256_of
from pipeline.storage.publish import publish
from pipeline.storage.state import fingerprint, stage_state
from pipeline.storage.versions import VERSIONS
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.transfer.features import features_of
from pipeline.transfer.folds import Protocol
from pipeline.transfer.run import scratch_line, softmax_line
from pipeline.transfer.table import Line, write_summary, write_table
from pipeline.workspace import Workspace
from stages.command import bar, device_option, stage
from stages.images import fetch_missing


@stage
@device_option
@click.option(
    "--model",
    type=click.Path(file_okay=False, path_type=Path),
    help="Model folder whose features are used; by default this run's. Train it on other images.",
)
@click.option("--layer", default="fc7", show_default=True, help="The layer that gives features.")
@click.option(
    "--per-class",
    type=click.IntRange(min=1),
    multiple=True,
    default=(15, 30),
    show_default=True,
    help="Training images of each class; may be given several times.",
)
@click.option("--test-per-class", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--folds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option(
    "--scratch", is_flag=True, help="Also train the whole network from scratch on every fold."
)
@click.option("--features/--no-features", default=True, help="Learn a new softmax on features.")
def main(
    workspace: Workspace,
    device: str,
    model: Path | None,
    layer: str,
    per_class: tuple[int, ...],
    test_per_class: int,
    folds: int,
    scratch: bool,
    features: bool,
) -> None:
    """Learn from few images per class, over folds, as Table 4 of the paper.

    The images of both splits of the manifest are split again for every fold. Writes
    reports/transfer.csv (each fold) and reports/transfer.json (mean and standard deviation of
    the mean per-class accuracy). With --scratch, the recipe is that of params.yaml.
    """
    if not (scratch or features):
        raise AtlasError("--no-features leaves nothing to do.", fix="Add --scratch.")
    protocols = [Protocol(count, test_per_class, folds) for count in per_class]
    config = ExecutionConfig(parse_device(device), cores())
    task = _task(workspace)
    lines: list[Line] = []
    if features:
        lines += _feature_lines(task, protocols, config, model or workspace.model, layer)
    if scratch:
        lines += _scratch_lines(workspace, task, protocols, config)
    with publish(workspace.report("transfer.csv")) as path:
        write_table(path, lines)
    with publish(workspace.report("transfer.json")) as path:
        write_summary(path, lines)
    for line in lines:
        click.echo(
            f"{line.start}, {line.per_class} per class: "
            f"{100 * line.mean:.1f} ± {100 * line.deviation:.1f} % mean per-class accuracy"
        )


def _task(workspace: Workspace) -> TrainingTask:
    """The run's task from scratch, whatever its own training starts from."""
    fetch_missing(workspace)
    params = load_params(workspace.params)
    train = params.train.model_copy(update={"init_from": None, "freeze": ()})
    images = open_images(workspace.images(params.data.root))
    scratch = params.model_copy(update={"train": train})
    return TrainingTask(scratch, read_manifest(workspace.manifest), images, None)


def _feature_lines(
    task: TrainingTask,
    protocols: list[Protocol],
    config: ExecutionConfig,
    folder: Path,
    layer: str,
) -> list[Line]:
    rows = task.manifest.rows
    with bar("features", len(rows), "images") as advance:
        found = features_of(
            load_model(folder),
            layer,
            task.images,
            rows,
            device=config.device,
            threads=config.threads,
            advance=advance,
        )
    return [softmax_line(rows, found, layer, p, task.params.seed) for p in protocols]


def _scratch_lines(
    workspace: Workspace, task: TrainingTask, protocols: list[Protocol], config: ExecutionConfig
) -> list[Line]:
    facts = {
        "params": task.params.model_dump(),
        "manifest": sha256_of(workspace.manifest),
        "test_per_class": protocols[0].test_per_class,
        "version": VERSIONS["transfer"],
    }
    with (
        stage_state(workspace.state("transfer"), fingerprint(facts)) as state,
        bar("scratch", sum(protocol.folds for protocol in protocols), "folds") as advance,
    ):
        return [scratch_line(task, p, config, state, advance) for p in protocols]
