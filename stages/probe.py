"""`atlas probe`: Table 7 of the paper."""

from pathlib import Path

import click

from pipeline.compute.device import parse_device
from pipeline.cores import cores
from pipeline.figures.layers import hidden
from pipeline.network.graph import Graph
from pipeline.network.model import load_model
from pipeline.network.selection import selected
from pipeline.storage.state import costly_state
from pipeline.storage.versions import VERSIONS
from pipeline.training.task import ExecutionConfig
from pipeline.transfer.folds import Protocol
from pipeline.trials.trial import scratch_task
from pipeline.workspace import Workspace
from stages.command import device_option, stage
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
@click.option(
    "--layer",
    multiple=True,
    help="A layer, or a pattern such as `layer4.*`; may be given several times. By default all "
    "that every path passes, but for the scores.",
)
@per_class_option(30)
@test_per_class_option
@folds_option
def main(
    workspace: Workspace,
    device: str,
    model: Path | None,
    layer: tuple[str, ...],
    per_class: tuple[int, ...],
    test_per_class: int,
    folds: int,
) -> None:
    """Classify images with linear classifiers on each layer's features, as Table 7 of the paper.

    Linear probes: support vector machines and a softmax on the fixed features of one layer, over
    folds of the images of both splits. A map of more than 9,216 values is max-pooled to at most as
    many. Writes reports/probe.csv (each fold) and reports/probe.json (mean and standard deviation
    of the mean per-class accuracy), line by line. An interrupted run resumes where it stopped.
    """
    fetch_missing(workspace)
    config = ExecutionConfig(parse_device(device), cores())
    task = scratch_task(workspace)
    learnt = load_model(model or workspace.model)
    layers = _layers(learnt.graph, layer)
    protocols = [Protocol(count, test_per_class, folds) for count in per_class]
    facts = {
        "model": learnt.card.sha256,
        "manifest": task.manifest.sha256,
        "seed": task.params.seed,
        "test_per_class": test_per_class,
        "version": VERSIONS["probe"],
    }
    with costly_state(workspace.state("probe"), facts) as state:
        lines = (
            line
            for name in layers
            for line in feature_lines(
                task, learnt, name, ["svm", "softmax"], protocols, config, state
            )
        )
        report_lines(workspace, "probe", lines)


def _layers(graph: Graph, wanted: tuple[str, ...]) -> list[str]:
    """The layers named, else the hidden ones. Raises AtlasError for one that fits none."""
    layers = selected(graph, wanted) if wanted else hidden(graph)
    return [layer.name for layer in layers]
