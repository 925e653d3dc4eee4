"""`atlas transfer`: Table 4 of the paper."""

from collections.abc import Iterator
from pathlib import Path

import click

from pipeline.compute.device import parse_device
from pipeline.cores import cores
from pipeline.errors import AtlasError
from pipeline.network.model import load_model
from pipeline.storage.state import costly_state
from pipeline.storage.versions import VERSIONS
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.transfer.folds import Protocol
from pipeline.transfer.lines import scratch_line
from pipeline.transfer.table import Line
from pipeline.trials.trial import scratch_task, trial_recipe
from pipeline.workspace import Workspace
from stages.command import bar, device_option, stage
from stages.few_images import (
    feature_lines,
    folds_option,
    model_option,
    per_class_option,
    report_lines,
    test_per_class_option,
)
from stages.images import fetch_missing


@stage
@device_option
@model_option
@click.option("--layer", default="fc7", show_default=True, help="The layer that gives features.")
@per_class_option(15, 30)
@test_per_class_option
@folds_option
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
    the mean per-class accuracy), line by line. An interrupted run resumes where it stopped. With
    --scratch, the recipe is that of params.yaml.
    """
    if not (scratch or features):
        raise AtlasError("--no-features leaves nothing to do.", fix="Add --scratch.")
    fetch_missing(workspace)
    config = ExecutionConfig(parse_device(device), cores())
    task = scratch_task(workspace)
    protocols = [Protocol(count, test_per_class, folds) for count in per_class]
    learnt = load_model(model or workspace.model) if features else None
    facts = {
        **(trial_recipe(task.params) if scratch else {"seed": task.params.seed}),
        "manifest": task.manifest.sha256,
        "model": learnt and learnt.card.sha256,
        "test_per_class": test_per_class,
        "version": VERSIONS["transfer"],
    }

    def lines(state: Path) -> Iterator[Line]:
        if learnt is not None:
            yield from feature_lines(task, learnt, layer, ["softmax"], protocols, config, state)
        if scratch:
            yield from _scratch_lines(task, protocols, config, state)

    with costly_state(workspace.state("transfer"), facts) as state:
        report_lines(workspace, "transfer", lines(state))


def _scratch_lines(
    task: TrainingTask, protocols: list[Protocol], config: ExecutionConfig, state: Path
) -> Iterator[Line]:
    for protocol in protocols:
        with bar(f"scratch, {protocol.per_class} per class", protocol.folds, "folds") as advance:
            yield scratch_line(task, protocol, config, state, advance)
