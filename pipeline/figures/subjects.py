"""The images that the figures look at one by one, and how a worker gets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.atlas import Run
from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.seeding import rng_for
from pipeline.dataset.store import ImageStore
from pipeline.errors import AtlasError
from pipeline.network.model import Model


@dataclass(frozen=True)
class RunAccess:
    """The model and the images, as a worker finds them."""

    model: Path
    model_sha256: str
    images: ImageStore


@dataclass(frozen=True)
class Subject:
    """One image that a figure looks at."""

    row: int
    """Its place among the validation images."""
    image: ImageRow
    label: int | None
    """Its class's place among the scores; None where the network does not score it."""


def source_of(run: Run) -> RunAccess:
    """The model and the images of a run."""
    return RunAccess(run.model_folder, run.card.sha256, run.image_store)


@cached_per_process
def model_on(source: RunAccess, device: torch.device) -> Model:
    """The model with its network on a device; a process reads it once."""
    model = load_pinned_model(source.model, source.model_sha256)
    model.network.to(device)
    return model


def subjects(run: Run) -> tuple[Subject, ...]:
    """The images that `figures.images` asks for: drawn by the seed, each of another class.

    Where no image has a class that the network scores, any are drawn. Raises AtlasError for an
    image row that there is not.
    """
    wanted = run.params.figures.images
    rows = _drawn(run, wanted) if isinstance(wanted, int) else wanted
    if beyond := [row for row in rows if row >= len(run.images)]:
        raise AtlasError(
            f"figures.images names row {beyond[0]}, but there are {len(run.images)} validation "
            "images.",
            fix="Correct it in params.yaml.",
        )
    return tuple(_subject(run, row) for row in rows)


def subject_facts(
    run: Run, subject: Subject, *, followed: int, predicted: int, probability: float
) -> dict[str, object]:
    """What every figure says of an image: the class that is followed, the answer of the network,
    and the probability of the former without any change."""
    classes = run.card.classes
    return {
        "row": subject.row,
        "path": subject.image.path,
        "label": subject.image.label,
        "followed": classes[followed],
        "predicted": classes[predicted],
        "probability": probability,
    }


def _subject(run: Run, row: int) -> Subject:
    image = run.images[row]
    classes = run.card.classes
    return Subject(row, image, classes.index(image.label) if image.label in classes else None)


def _drawn(run: Run, count: int) -> Sequence[int]:
    rng = rng_for(run.params.seed, "figures")
    by_class: dict[str, list[int]] = {}
    for row, image in enumerate(run.images):
        if image.label in run.card.classes:
            by_class.setdefault(image.label, []).append(row)
    if not by_class:
        return sorted(rng.permutation(len(run.images))[:count].tolist())
    names = sorted(by_class, key=str.encode)
    drawn = rng.permutation(len(names))[:count].tolist()
    return sorted(int(rng.choice(by_class[names[place]])) for place in drawn)
