"""What Table 1 hides in the images of a class: the same part of each, or random places."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.atlas import Run
from pipeline.dataset.class_names import composed
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.seeding import rng_for
from pipeline.figures.parts import in_input, parts_file, read_parts

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


def mask_groups(run: Run) -> tuple[MaskGroup, ...]:
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
