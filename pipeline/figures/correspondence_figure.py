"""Table 1: Δ of each part of each class, in the last map and the last hidden layer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from pipeline.atlas import Run
from pipeline.compute.device import configure_matmul
from pipeline.dataset.verified import load_verified
from pipeline.figures.correspondence import consistency, hide_part
from pipeline.figures.figure import Work
from pipeline.figures.layers import hidden, last_map
from pipeline.figures.masks import Mask, MaskGroup, mask_groups
from pipeline.figures.parts import parts_file, read_parts
from pipeline.figures.shown import shown
from pipeline.figures.subjects import RunAccess, model_on, source_of
from pipeline.network.model import Model
from pipeline.params.figures import FigureName
from pipeline.storage.figures import Arrays, FigureData


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
        if not mask_groups(run):
            return "No two validation images of one class have the same part inside the input."
        return ""

    def steps(self, run: Run) -> int:
        """One for each class."""
        return len(mask_groups(run))

    def compute(self, work: Work) -> FigureData:
        """The table, and pictures of what was hidden."""
        run, params, found = work.run, work.run.params.figures.correspondence, mask_groups(work.run)
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
