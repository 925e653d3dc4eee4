"""`atlas ablations`: Table 3 of the paper."""

import shutil
from collections.abc import Mapping

import click

from pipeline.compute.device import configure_matmul, parse_device
from pipeline.compute.malloc import disable_malloc_trim
from pipeline.cores import cores
from pipeline.storage.publish import publish
from pipeline.storage.state import costly_state
from pipeline.storage.versions import VERSIONS
from pipeline.training.task import ExecutionConfig
from pipeline.trials.ablations import Result, ablate, write_summary, write_table
from pipeline.trials.trial import scratch_task, trial_recipe
from pipeline.workspace import Workspace
from stages.command import device_option, stage
from stages.images import fetch_missing
from stages.training_bar import training_bar


@stage
@device_option
def main(workspace: Workspace, device: str) -> None:
    """Train the networks of Table 3 of the paper under one recipe, and compare their errors.

    ZFNet and AlexNet, with fully connected layers of other sizes, wider conv layers, and layers
    left out; images, width and recipe are those of params.yaml, each from scratch. Writes
    reports/ablations.csv and .json, beside the paper's errors: a row as soon as its network is
    trained. An interrupted run resumes where it stopped.
    """
    fetch_missing(workspace)
    disable_malloc_trim()
    configure_matmul(on := parse_device(device), tf32=False)
    task = scratch_task(workspace)
    facts = {
        **trial_recipe(task.params),
        "model": task.params.own_model.width,  # each network is another
        "manifest": task.manifest.sha256,
        "version": VERSIONS["ablations"],
    }
    results: list[Result] = []
    with costly_state(workspace.state("ablations"), facts) as state:
        for pixels in workspace.state("ablations").glob("*/pixels"):
            if pixels.parent != state:  # large, and soon made again
                shutil.rmtree(pixels)
        for result in ablate(task, ExecutionConfig(on, cores()), state, training_bar):
            results.append(result)
            with publish(workspace.report("ablations.csv")) as path:
                write_table(path, results)
            with publish(workspace.report("ablations.json")) as path:
                write_summary(path, results)
            click.echo(_said(result))


def _said(result: Result) -> str:
    """A row in words."""
    return (
        f"{result.ablation.name}: {_errors(result.numbers)}; "
        f"the paper's: {_errors(result.ablation.paper)}"
    )


def _errors(numbers: Mapping[str, float]) -> str:
    train = numbers.get("train_top1_error")
    return (
        f"top-1 error {100 * numbers['val_top1_error']:.1f} %, "
        f"top-5 {100 * numbers['val_top5_error']:.1f} %"
        + ("" if train is None else f", top-1 on training images {100 * train:.1f} %")
    )
