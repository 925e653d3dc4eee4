"""Lines of the tables: over folds, a linear classifier on fixed features, or a whole network."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.dataset.manifest import ImageRow, class_indices
from pipeline.evaluation.rates import mean_class_accuracy
from pipeline.progress import Advance
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.transfer.classifiers import recognised
from pipeline.transfer.features import Features
from pipeline.transfer.folds import Classifier, Protocol, draw_fold
from pipeline.transfer.table import Line
from pipeline.trials.remembered import Numbers, remembered
from pipeline.trials.trial import rates_of, trained


def feature_line(
    rows: Sequence[ImageRow],
    features: Callable[[], Features],
    layer: str,
    classifier: Classifier,
    protocol: Protocol,
    seed: int,
    state: Path,
    advance: Advance,
) -> Line:
    """Learn a classifier on each fold's part of a layer's features, which are in the rows' order.

    A fold that is done leaves its accuracy in the state folder and is not repeated; the features
    are asked for only where one is left to do.
    """
    place = {row.path: number for number, row in enumerate(rows)}

    def accuracy(fold: int) -> float:
        manifest = draw_fold(rows, protocol, seed, fold)
        (seen, labels), (tested, truth) = (
            (features()[[place[row.path] for row in part]], class_indices(part, manifest.classes))
            for part in (manifest.split("train"), manifest.split("val"))
        )
        found = recognised(classifier, seen, labels, tested)
        certain = np.eye(len(manifest.classes), dtype=np.float32)[found]
        return mean_class_accuracy(certain, truth)

    return _line(layer, classifier, protocol, state, advance, lambda fold, _: accuracy(fold))


def scratch_line(
    task: TrainingTask, protocol: Protocol, config: ExecutionConfig, state: Path, advance: Advance
) -> Line:
    """Train the task's whole network from scratch on each fold.

    A fold that is done leaves its accuracy in the state folder and is not repeated.
    """

    def accuracy(fold: int, folder: Path) -> float:
        manifest = draw_fold(task.manifest.rows, protocol, task.params.seed, fold)
        own = replace(task, manifest=manifest)
        found = rates_of(trained(own, config, folder), own, "val", config).mean_class_accuracy
        assert found is not None, "every image is of a class that the network was trained on"
        return found

    return _line("scratch", "softmax", protocol, state, advance, accuracy)


def _line(
    start: str,
    classifier: Classifier,
    protocol: Protocol,
    state: Path,
    advance: Advance,
    accuracy: Callable[[int, Path], float],
) -> Line:
    """A line of a function of a fold and a folder of its own."""
    accuracies = []
    for fold in range(protocol.folds):

        def measure(folder: Path, fold: int = fold) -> Numbers:
            return {"mean_class_accuracy": accuracy(fold, folder)}

        name = f"{start}_{classifier}_{protocol.per_class}_{fold}"
        accuracies.append(remembered(state, name, measure)["mean_class_accuracy"])
        advance(1)
    return Line(start, classifier, protocol.per_class, tuple(accuracies))
