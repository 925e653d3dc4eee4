"""The evaluation: every listed image is read, checked and decoded once, and classified."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from pipeline.dataset.manifest import ImageRow, class_indices
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import decode_verified
from pipeline.errors import AtlasError
from pipeline.evaluation.classifier import BATCH, Classifier, Probabilities
from pipeline.evaluation.rates import Labels, error_rates
from pipeline.evaluation.views import View, centre_crop, ten_crops
from pipeline.network.model import Model
from pipeline.progress import Advance
from pipeline.storage.error_rates import ErrorRates


@dataclass(frozen=True)
class Evaluation:
    """Probabilities of the classes for every image."""

    one_crop: Probabilities
    """Of the centre crop, the network's input."""
    ten_crops: Probabilities | None
    """Means over the ten crops; None where they were not asked for."""
    labels: Labels

    def rates(self) -> ErrorRates:
        """Sum the probabilities up to error rates."""
        return error_rates(self.one_crop, self.ten_crops, self.labels)


def evaluate(
    model: Model,
    images: ImageStore,
    rows: Sequence[ImageRow],
    *,
    ten: bool,
    device: torch.device,
    threads: int,
    advance: Advance,
) -> Evaluation:
    """Classify the images of some rows by one crop and, if `ten`, by ten.

    A network whose output is a map has no classes and does not run: the probabilities are of none.
    Raises AtlasError where there is no image, one cannot be read or is not the one that was
    listed, or its class is none of those that the model was trained on here. Images without
    classes are classified, but no error is counted.
    """
    if not rows:
        raise AtlasError(
            "The manifest lists no validation image.", fix="Add some, then run `dvc repro`."
        )
    trained_on_classes = model.card.origin is None and any(row.label for row in rows)
    labels = class_indices(rows, model.card.classes, all_known=trained_on_classes)
    if not model.card.classes:
        of_none = np.empty((len(rows), 0), np.float32)
        advance(len(rows))
        return Evaluation(of_none, of_none if ten else None, labels)
    classify = Classifier(model, device)
    make_views = ten_crops if ten else centre_crop

    def read(batch: Sequence[ImageRow]) -> list[View]:
        decoded = (decode_verified(images, row) for row in batch)
        return [view for image in decoded for view in make_views(image, *model.card.framing)]

    one, averaged = [], []
    batches = [rows[first : first + BATCH] for first in range(0, len(rows), BATCH)]
    for batch, views in prefetch(read, batches, threads, depth=2 * threads):
        found = classify(views).reshape(len(batch), -1, len(model.card.classes))
        one.append(found[:, 0])
        averaged.append(found.mean(axis=1, dtype=np.float32))
        advance(len(batch))
    return Evaluation(np.concatenate(one), np.concatenate(averaged) if ten else None, labels)
