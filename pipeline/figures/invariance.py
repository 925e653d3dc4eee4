"""Figure 5: how features and the class probability follow an image that is moved or turned.

The distance of a layer's features to those of the untransformed image is divided by the length of
the latter, so that 0 is the same and √2 is what unrelated features of one length have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from pipeline.atlas import Run
from pipeline.compute.device import configure_matmul
from pipeline.dataset.framing import centre_square
from pipeline.dataset.verified import decode_verified
from pipeline.figures.figure import Work
from pipeline.figures.layers import hidden, scores_classes
from pipeline.figures.shown import shown
from pipeline.figures.subjects import (
    RunAccess,
    Subject,
    model_on,
    source_of,
    subject_facts,
    subjects,
)
from pipeline.figures.transforms import Transform, transformed, transforms
from pipeline.network.model import Model
from pipeline.params.figures import FigureName, InvarianceParams
from pipeline.storage.figures import Arrays, FigureData

BATCH = 8


@dataclass(frozen=True)
class InvarianceJob:
    """One image under all transformations."""

    source: RunAccess
    subject: Subject
    layers: tuple[str, str]
    transforms: tuple[Transform, ...]


class Invariance:
    """Curves of distance and probability for a few images under three transformations."""

    name: FigureName = "invariance"

    def missing(self, run: Run) -> str:
        """It needs class scores, and a hidden layer."""
        if not scores_classes(run.graph, len(run.card.classes)):
            return "The network's output is not a list of class scores."
        if not hidden(run.graph):
            return "The network has no hidden layer that all paths pass."
        return ""

    def steps(self, run: Run) -> int:
        """One for each image."""
        return len(subjects(run))

    def compute(self, work: Work) -> FigureData:
        """The curves of every image, and how far apart different images are."""
        run, chosen = work.run, subjects(work.run)
        ranges = ranges_of(run.params.figures.invariance)
        layers = hidden(run.graph)[0].name, hidden(run.graph)[-1].name
        source = source_of(run)
        jobs = {
            f"image {subject.row}": InvarianceJob(source, subject, layers, ranges)
            for subject in chosen
        }
        found = list(work.each(follow, jobs).values())
        apart = [_apart([one[f"features_{which}"] for one in found]) for which in range(2)]
        facts = {
            "layers": list(layers),
            "between_images": apart,
            "transforms": [
                {"kind": one.kind, "unit": one.unit, "amounts": list(one.amounts)} for one in ranges
            ],
            "images": [
                _image_facts(run, subject, one) for subject, one in zip(chosen, found, strict=True)
            ],
        }
        arrays = {
            name: np.stack([one[name] for one in found])
            for name in found[0]
            if name.startswith(("distance", "probability", "picture"))
        }
        return FigureData(facts, arrays, _summary(ranges, arrays))


def ranges_of(params: InvarianceParams) -> tuple[Transform, ...]:
    """The transformations that the parameters ask for."""
    return transforms(params.translation_px, params.largest_scale, params.steps)


@torch.inference_mode()
def follow(job: InvarianceJob, device: torch.device) -> Arrays:
    """One image under all transformations.

    For each kind: `distance_KIND` (layer, amount), `probability_KIND` (amount) of the class that is
    followed, `picture_KIND` (amount, row, col, colour). Raises AtlasError where the image is not
    what the manifest lists.
    """
    configure_matmul(device, tf32=False)
    model = model_on(job.source, device)
    resize, crop, interpolation = model.card.framing
    decoded = decode_verified(job.source.images, job.subject.image)
    image = centre_square(decoded, resize, resize, interpolation)
    plain = _features(
        model, job.layers, [centre_square(decoded, resize, crop, interpolation)], device
    )
    label = int(plain[-1].argmax()) if job.subject.label is None else job.subject.label
    arrays: Arrays = {
        "features_0": plain[0][0].cpu().numpy(),
        "features_1": plain[1][0].cpu().numpy(),
        "followed": np.array(label),
        "predicted": np.array(int(plain[-1].argmax())),
        "unchanged": plain[-1].softmax(dim=1)[0, label].cpu().numpy(),
    }
    for one in job.transforms:
        pictures = [transformed(image, one.kind, a, crop, _fill(model)) for a in one.amounts]
        distances, probabilities = _curves(model, job.layers, pictures, plain, label, device)
        arrays[f"distance_{one.kind}"] = distances
        arrays[f"probability_{one.kind}"] = probabilities
        arrays[f"picture_{one.kind}"] = np.stack([shown(picture) for picture in pictures])
    return arrays


def _curves(
    model: Model,
    layers: tuple[str, str],
    pictures: Sequence[UInt8[np.ndarray, "crop crop 3"]],
    plain: Sequence[Tensor],
    label: int,
    device: torch.device,
) -> tuple[Float32[np.ndarray, "layer amount"], Float32[np.ndarray, " amount"]]:
    distances, probabilities = [], []
    for first in range(0, len(pictures), BATCH):
        *features, scores = _features(model, layers, pictures[first : first + BATCH], device)
        distances.append(
            torch.stack(
                [_distance(now, before) for now, before in zip(features, plain, strict=False)]
            )
        )
        probabilities.append(scores.softmax(dim=1)[:, label])
    return torch.cat(distances, dim=1).cpu().numpy(), torch.cat(probabilities).cpu().numpy()


def _features(
    model: Model,
    layers: tuple[str, str],
    pictures: Sequence[UInt8[np.ndarray, "crop crop 3"]],
    device: torch.device,
) -> list[Tensor]:
    """The features (image, feature) of both layers, and the class scores."""
    pixels = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).to(device)
    graph = model.graph
    nodes = [*(graph.layer(layer).node for layer in layers), graph.output]
    found = model.network.run(model.normalisation(pixels), nodes)
    return [found[node].flatten(1) for node in nodes]


def _distance(now: Tensor, before: Tensor) -> Tensor:
    """Of each image's features to the untransformed one's, in lengths of the latter."""
    length = before.double().norm()
    distance: Tensor = (now.double() - before.double()).norm(dim=1)
    return (distance / length if length > 0 else distance).float()


def _apart(features: Sequence[Float32[np.ndarray, " feature"]]) -> float | None:
    """The mean distance of different images, in the same measure; None for a single image."""
    lengths = [float(np.linalg.norm(one.astype(np.float64))) or 1.0 for one in features]
    found = [
        float(np.linalg.norm(features[i].astype(np.float64) - features[j])) / lengths[k]
        for i, j in combinations(range(len(features)), 2)
        for k in (i, j)
    ]
    return float(np.mean(found)) if found else None


def _fill(model: Model) -> list[float]:
    """The mean colour of the training images, which normalised is 0, or near it."""
    mean = model.normalisation.mean.float().mean(dim=(1, 2))
    return mean.clamp(0, 255).round().tolist()


def _image_facts(run: Run, subject: Subject, found: Arrays) -> dict[str, object]:
    return subject_facts(
        run,
        subject,
        followed=int(found["followed"]),
        predicted=int(found["predicted"]),
        probability=float(found["unchanged"]),
    )


def _summary(ranges: Sequence[Transform], arrays: Arrays) -> dict[str, float]:
    """Means over images and amounts."""
    summary = {}
    for one in ranges:
        for which, place in (("first", 0), ("last", 1)):
            mean = float(arrays[f"distance_{one.kind}"][:, place].mean())
            summary[f"{one.kind}_distance_{which}_layer"] = mean
        summary[f"{one.kind}_probability"] = float(arrays[f"probability_{one.kind}"].mean())
    return summary
