"""Parts of both `atlas transfer` and `atlas probe`: the protocol's options, features, the table."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import click

from pipeline.network.model import Model
from pipeline.storage.publish import publish
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.transfer.features import Features, features_of
from pipeline.transfer.folds import Classifier, Protocol
from pipeline.transfer.lines import feature_line
from pipeline.transfer.table import Line, write_folds, write_means
from pipeline.workspace import Workspace
from stages.command import bar

model_option = click.option(
    "--model",
    type=click.Path(file_okay=False, path_type=Path),
    help="Model folder whose features are used; by default this run's. Train it on other images.",
)
test_per_class_option = click.option(
    "--test-per-class",
    type=click.IntRange(min=1),
    default=50,
    show_default=True,
    help="Maximum test images per class.",
)
folds_option = click.option("--folds", type=click.IntRange(min=1), default=5, show_default=True)


def per_class_option(*default: int) -> Callable[..., Any]:
    """The option of how many training images a class has."""
    return click.option(
        "--per-class",
        type=click.IntRange(min=1),
        multiple=True,
        default=default,
        show_default=True,
        help="Training images of each class; may be given several times.",
    )


def feature_lines(
    task: TrainingTask,
    model: Model,
    layer: str,
    classifiers: Sequence[Classifier],
    protocols: Sequence[Protocol],
    config: ExecutionConfig,
    state: Path,
) -> Iterator[Line]:
    """The lines of a layer's features, each as soon as it is there."""
    rows = task.manifest.rows

    @cache
    def features() -> Features:
        with bar(f"{layer} features", len(rows), "images") as advance:
            return features_of(
                model,
                layer,
                task.images,
                rows,
                device=config.device,
                threads=config.threads,
                advance=advance,
            )

    for classifier in classifiers:
        for protocol in protocols:
            with bar(f"{layer} {classifier}", protocol.folds, "folds") as advance:
                yield feature_line(
                    rows,
                    features,
                    layer,
                    classifier,
                    protocol,
                    task.params.seed,
                    state,
                    advance,
                )


def report_lines(workspace: Workspace, name: str, lines: Iterator[Line]) -> None:
    """Say every line as it comes, and write the table of those so far."""
    so_far: list[Line] = []
    for line in lines:
        so_far.append(line)
        with publish(workspace.report(f"{name}.csv")) as path:
            write_folds(path, so_far)
        with publish(workspace.report(f"{name}.json")) as path:
            write_means(path, so_far)
        click.echo(str(line))
