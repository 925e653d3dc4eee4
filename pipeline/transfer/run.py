"""The protocol: over folds, a new softmax on fixed features, or the whole network from scratch."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32

from pipeline.dataset.manifest import ImageRow, Manifest, class_indices
from pipeline.dataset.store import ImageStore
from pipeline.evaluation.evaluate import evaluate
from pipeline.evaluation.rates import mean_class_accuracy
from pipeline.network.model import load_model
from pipeline.progress import Advance, no_progress
from pipeline.storage.publish import publish
from pipeline.training.artifacts import write_model
from pipeline.training.distributed import Group
from pipeline.training.task import ExecutionConfig, TrainingTask
from pipeline.training.train import train
from pipeline.transfer.folds import Protocol, draw_fold
from pipeline.transfer.softmax import probabilities_of
from pipeline.transfer.table import Line


def softmax_line(
    rows: Sequence[ImageRow],
    features: Float32[np.ndarray, "image feature"],
    layer: str,
    protocol: Protocol,
    seed: int,
) -> Line:
    """Learn a new softmax on the features of each fold; `features` is in the rows' order."""
    place = {row.path: number for number, row in enumerate(rows)}
    accuracies = []
    for fold in range(protocol.folds):
        manifest = draw_fold(rows, protocol, seed, fold)
        (seen, labels), (tested, truth) = (
            (
                torch.from_numpy(features[[place[row.path] for row in part]]),
                class_indices(part, manifest.classes),
            )
            for part in (manifest.split("train"), manifest.split("val"))
        )
        found = probabilities_of(seen, torch.from_numpy(labels), tested, len(manifest.classes))
        accuracies.append(mean_class_accuracy(found.numpy(), truth))
    return Line(layer, protocol.per_class, tuple(accuracies))


def scratch_line(
    task: TrainingTask, protocol: Protocol, config: ExecutionConfig, state: Path, advance: Advance
) -> Line:
    """Train the task's whole network from scratch on each fold.

    A fold that is done leaves its accuracy in the state folder and is not repeated.
    """
    accuracies = []
    for fold in range(protocol.folds):
        folder = state / f"scratch_{protocol.per_class}_{fold}"
        done = folder.with_suffix(".json")
        if not done.exists():
            accuracy = _train_fold(task, protocol, fold, config, folder)
            with publish(done) as partial:
                partial.write_text(json.dumps(accuracy), encoding="utf-8")
        accuracies.append(float(json.loads(done.read_text(encoding="utf-8"))))
        advance(1)
    return Line("scratch", protocol.per_class, tuple(accuracies))


def _train_fold(
    task: TrainingTask, protocol: Protocol, fold: int, config: ExecutionConfig, folder: Path
) -> float:
    manifest = draw_fold(task.manifest.rows, protocol, task.params.seed, fold)
    own = replace(task, manifest=manifest)
    folder.mkdir(exist_ok=True)
    trained = train(own, config, Group(), folder)
    with publish(folder / "model") as path:
        write_model(path, own, trained, "", folder / "no snapshots")
    return fold_accuracy(folder / "model", manifest, own.images, config)


def fold_accuracy(
    folder: Path, manifest: Manifest, images: ImageStore, config: ExecutionConfig
) -> float:
    """Mean per-class accuracy of a model folder on a manifest's validation images."""
    result = evaluate(
        load_model(folder),
        images,
        manifest.split("val"),
        ten=False,
        device=config.device,
        threads=config.threads,
        advance=no_progress,
    )
    accuracy = result.rates().mean_class_accuracy
    assert accuracy is not None, "every image is of a class that the network was trained on"
    return accuracy
