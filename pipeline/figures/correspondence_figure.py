"""Table 1: Δ of each part of each class, in the last map and the last hidden layer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from pipeline.atlas import Run
from pipeline.compute.device import configure_matmul
from pipeline.dataset.class_names import composed
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.seeding import rng_for
from pipeline.dataset.verified import load_verified
from pipeline.figures.correspondence import consistency, hide_part
from pipeline.figures.figure import Work
from pipeline.figures.layers import hidden, last_map
from pipeline.figures.parts import in_input, parts_file, read_parts
from pipeline.figures.shown import shown
from pipeline.figures.subjects import RunAccess, model_on, source_of
from pipeline.network.model import Model
from pipeline.params.figures import FigureName
from pipeline.storage.figures import Arrays, FigureData

BATCH = 8
Centre = tuple[float, float]
"""(row, col) in pixels of the network input."""


@dataclass(frozen=True)
class Mask:
    """Places hidden together: one in each of some images."""

    part: str
    """Empty for random places."""
    places: tuple[tuple[int, Centre], ...]
    """An image's place in its group, and the middle of the square in it."""


@dataclass(frozen=True)
class MaskGroup:
    """The images of one class and what is hidden in them."""

    label: str
    rows: tuple[int, ...]
    images: tuple[ImageRow, ...]
    masks: tuple[Mask, ...]
    """Parts, then random places."""


@dataclass(frozen=True)
class CorrespondenceJob:
    """One group."""

    source: RunAccess
    group: MaskGroup
    layers: tuple[str, ...]
    side: int
    value: int


class Correspondence:
    """Δ of parts against Δ of random places."""

    name: FigureName = "correspondence"

    def missing(self, run: Run) -> str:
        """It needs a hidden layer, and the same part in two images of one class."""
        if not hidden(run.graph):
            return "The network has no hidden layer that all paths pass."
        if run.params.figures.correspondence.side > min(run.graph.input[1:]):
            return "The square is larger than the network's input."
        if read_parts(parts_file(run)) is None:
            return f"There is no {parts_file(run).name} that says where parts are in the images."
        if not groups(run):
            return "No two validation images of one class have the same part inside the input."
        return ""

    def steps(self, run: Run) -> int:
        """One for each class."""
        return len(groups(run))

    def compute(self, work: Work) -> FigureData:
        """The table, and pictures of what was hidden."""
        run, params, found = work.run, work.run.params.figures.correspondence, groups(work.run)
        layers = layers_of(run)
        jobs = {
            f"class {number}": CorrespondenceJob(
                source_of(run), group, layers, params.side, params.value
            )
            for number, group in enumerate(found)
        }
        done = list(work.each(change, jobs).values())
        rows: list[dict[str, Any]] = []
        arrays: Arrays = {}
        for group, one in zip(found, done, strict=True):
            for number, mask in enumerate(group.masks):
                if mask.part:
                    arrays[f"picture_{len(rows)}"] = one[f"picture_{number}"]
                    rows.append(_row(group, mask, layers, one, [number]))
            random = [number for number, mask in enumerate(group.masks) if not mask.part]
            rows.append(_row(group, Mask("", group.masks[-1].places), layers, one, random))
        return FigureData({"layers": list(layers), "rows": rows}, arrays, _summary(layers, rows))


def layers_of(run: Run) -> tuple[str, ...]:
    """The last layer with a map and the last hidden one: once where they are the same."""
    last = hidden(run.graph)[-1].name
    maps = last_map(run.graph)
    return tuple(dict.fromkeys([maps.name, last] if maps else [last]))


def groups(run: Run) -> tuple[MaskGroup, ...]:
    """Of every class with marked parts, some images drawn by the seed, and what is hidden in them.

    Parts outside the network's input do not count. Every part takes the first images of one order,
    so that parts and random places are compared on the same images as far as can be.
    """
    params = run.params.figures.correspondence
    marked = _marked(run)
    by_class: dict[str, list[int]] = {}
    for row in marked:
        by_class.setdefault(run.images[row].label, []).append(row)
    found = []
    for label in sorted(by_class, key=str.encode):
        rng = rng_for(run.params.seed, f"correspondence {label}")
        order = [by_class[label][at] for at in rng.permutation(len(by_class[label])).tolist()]
        masks = list(_part_masks(order, marked, params.images))
        if masks:
            used = sorted({row for mask in masks for row, _ in mask.places}, key=order.index)
            random = _random_masks(used[: params.images], params.draws, run, rng)
            found.append(_group(run, label, used, [*masks, *random]))
    return tuple(found)


def _marked(run: Run) -> dict[int, dict[str, Centre]]:
    """By validation image row, the parts inside the network's input."""
    resize, crop, _ = run.card.framing
    rows = {composed(image.path): row for row, image in enumerate(run.images)}
    marked: dict[int, dict[str, Centre]] = {}
    for part in read_parts(parts_file(run)) or ():
        row = rows.get(composed(part.path))
        centre = None if row is None else in_input(part, run.images[row], resize, crop)
        if row is not None and centre is not None:
            marked.setdefault(row, {})[part.part] = centre
    return dict(sorted(marked.items()))


def _part_masks(
    order: Sequence[int], marked: Mapping[int, Mapping[str, Centre]], count: int
) -> list[Mask]:
    """A mask for each part that two images or more have; its places still name image rows."""
    names = sorted({name for row in order for name in marked[row]}, key=str.encode)
    masks = []
    for name in names:
        rows = [row for row in order if name in marked[row]][:count]
        if len(rows) > 1:
            masks.append(Mask(name, tuple((row, marked[row][name]) for row in rows)))
    return masks


def _random_masks(
    rows: Sequence[int], draws: int, run: Run, rng: np.random.Generator
) -> list[Mask]:
    """Places at which the whole square is inside the input, drawn for each image by itself."""
    half, crop = run.params.figures.correspondence.side / 2, run.card.crop
    centres = rng.uniform(half, crop - half, (draws, len(rows), 2)).round(1).tolist()
    return [
        Mask("", tuple((row, (at[0], at[1])) for row, at in zip(rows, draw, strict=True)))
        for draw in centres
    ]


def _group(run: Run, label: str, rows: Sequence[int], masks: Sequence[Mask]) -> MaskGroup:
    """A group whose masks name images by their places in it."""
    place = {row: at for at, row in enumerate(rows)}
    return MaskGroup(
        label,
        tuple(rows),
        tuple(run.images[row] for row in rows),
        tuple(
            replace(mask, places=tuple((place[row], centre) for row, centre in mask.places))
            for mask in masks
        ),
    )


def change(job: CorrespondenceJob, device: torch.device) -> Arrays:
    """For each mask, how it changes the features, and what it looks like.

    `signs_MASK_LAYER` (image, feature): the sign of the plain image's feature minus the masked
    one's; `picture_MASK` (image, row, col, colour) of parts. Raises AtlasError where an image is
    not what the manifest lists.
    """
    configure_matmul(device, tf32=False)
    model = model_on(job.source, device)
    plain = [load_verified(job.source.images, i, *model.card.framing) for i in job.group.images]
    before = _features(model, job.layers, plain, device)
    arrays: Arrays = {}
    for number, mask in enumerate(job.group.masks):
        masked = [hide_part(plain[at], centre, job.side, job.value) for at, centre in mask.places]
        places = [at for at, _ in mask.places]
        for layer, after in enumerate(_features(model, job.layers, masked, device)):
            signs = np.sign(before[layer][places] - after).astype(np.int8)
            arrays[f"signs_{number}_{layer}"] = signs
        if mask.part:
            arrays[f"picture_{number}"] = np.stack([shown(picture) for picture in masked])
    return arrays


@torch.inference_mode()
def _features(
    model: Model,
    layers: Sequence[str],
    pictures: Sequence[UInt8[np.ndarray, "crop crop 3"]],
    device: torch.device,
) -> list[Float32[np.ndarray, "image feature"]]:
    """Each layer's features of every picture.

    The network sees one picture at a time: where nothing changes, not even the last bit does.
    """
    found: list[list[np.ndarray]] = [[] for _ in layers]
    for picture in pictures:
        pixels = torch.tensor(picture, device=device).permute(2, 0, 1)[None]
        activations = model.network.activations(model.normalisation(pixels), layers)
        for into, layer in zip(found, layers, strict=True):
            into.append(activations[layer].flatten().cpu().numpy())
    return [np.stack(one) for one in found]


def _row(
    group: MaskGroup, mask: Mask, layers: Sequence[str], done: Arrays, numbers: Sequence[int]
) -> dict[str, Any]:
    """A row of the table: a part, or all random places of a group together."""
    deltas = [
        asdict(consistency(*(done[f"signs_{number}_{layer}"] for number in numbers)))
        for layer in range(len(layers))
    ]
    return {
        "label": group.label,
        "part": mask.part,
        "images": [group.images[at].path for at, _ in mask.places],
        "rows": [group.rows[at] for at, _ in mask.places],
        "delta": deltas,
    }


def _summary(layers: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Means over the rows, parts and random places apart."""
    summary = {}
    for at, which in enumerate(("last_map", "last_hidden")[-len(layers) :]):
        for kind, wanted in (("parts", True), ("random", False)):
            deltas = [row["delta"][at]["mean"] for row in rows if bool(row["part"]) == wanted]
            summary[f"delta_of_{kind}_{which}"] = float(np.mean(deltas))
    return summary
