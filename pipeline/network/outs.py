"""The outs of the stage `train`: the model folder, the history of its epochs, and the report."""

from collections.abc import Callable, Sequence
from pathlib import Path

from pipeline.network.card import ModelCard
from pipeline.storage.history import EpochRecord, write_history
from pipeline.storage.publish import publish
from pipeline.storage.reports import write_report
from pipeline.storage.training_report import TrainingReport
from pipeline.workspace import Workspace


def publish_network(
    workspace: Workspace,
    write_model: Callable[[Path], ModelCard],
    history: Sequence[EpochRecord],
    report: TrainingReport,
) -> None:
    """Make the model folder with `write_model`, which gets its path, and publish all three.

    History and report, which are bound to the model, appear before it.
    """
    table = workspace.report("train_history.csv")
    with publish(workspace.model) as folder:
        card = write_model(folder)
        with publish(table) as path:
            write_history(path, history)
        with publish(workspace.report("train.json")) as path:
            write_report(path, report, card.trained_from, table)
