"""Figure 5: how far features move when the image is moved, enlarged or turned.

The paper plots a distance without saying how it is normalised; here it is the Euclidean distance to
the features of the untransformed image, divided by their length.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, UInt8
from torch import Tensor

from pipeline.atlas import Run
from pipeline.dataset.verified import load_verified
from pipeline.figures.chosen import chosen_images
from pipeline.figures.figure import Result
from pipeline.figures.transforms import Transform, transformed, transforms
from pipeline.network.graph import Graph
from pipeline.params import InvarianceParams
from pipeline.progress import Advance

PURPOSE = 5
BATCH = 16
THUMB_PX = 72


@dataclass(frozen=True)
class Invariance:
    """The figure, with its ranges."""

    params: InvarianceParams
    name: str = "invariance"

    def excuse(self, run: Run) -> str:
        """Why it does not apply; it needs class scores."""
        return "" if len(run.graph.layers) > 1 else "The network has no hidden layer."

    def make(self, run: Run, device: torch.device, advance: Advance) -> Result:
        """Transform each image, measure its features; `advance` counts images."""
        params = self.params
        kinds = transforms(params.translation_px, params.largest_scale, params.steps)
        first, last = hidden_layers(run.graph)
        curves: dict[str, list[dict[str, Any]]] = {kind.kind: [] for kind in kinds}
        pictures: dict[str, list[np.ndarray]] = {kind.kind: [] for kind in kinds}
        rows = chosen_images(run, PURPOSE, params.images)
        for row in rows:
            for kind in kinds:
                views = _views(run, row, kind)
                measured = _measured(run, row, views, kind, (first, last), device)
                curves[kind.kind].append({"image": row, **measured})
                pictures[kind.kind].append(np.stack([_thumb(view) for view in views]))
            advance(1)
        data = {
            "first_layer": first,
            "last_layer": last,
            "images": [{"image": row, "label": run.images[row].label} for row in rows],
            "transforms": [
                {"kind": k.kind, "unit": k.unit, "amounts": k.amounts, "curves": curves[k.kind]}
                for k in kinds
            ],
        }
        stacks = {kind: np.stack(stack) for kind, stack in pictures.items()}
        return Result(data, stacks, _summary(data["transforms"]))


def hidden_layers(graph: Graph) -> tuple[str, str]:
    """The first hidden layer and the last, below the class scores."""
    return graph.layers[0], graph.layers[-2]


def distances(
    features: Float[Tensor, "view ..."], untransformed: Float[Tensor, "..."]
) -> Float64[np.ndarray, " view"]:
    """Distance of each view's features to the untransformed ones, in lengths of the latter."""
    reference = untransformed.flatten().double()
    apart = (features.flatten(1).double() - reference).norm(dim=1)
    length = reference.norm()
    return (apart / torch.where(length > 0, length, 1.0)).numpy()


def _views(run: Run, row: int, kind: Transform) -> list[UInt8[np.ndarray, "crop crop 3"]]:
    """The untransformed network input, then the transformed ones."""
    card = run.card
    image = load_verified(run.image_store, run.images[row], card.resize, card.resize)
    fill = [float(colour) for colour in image.mean(axis=(0, 1))]
    same = transformed(image, "translation", 0.0, card.crop, fill)
    return [same, *(transformed(image, kind.kind, a, card.crop, fill) for a in kind.amounts)]


def _measured(
    run: Run,
    row: int,
    views: Sequence[UInt8[np.ndarray, "crop crop 3"]],
    kind: Transform,
    layers: tuple[str, str],
    device: torch.device,
) -> dict[str, list[float]]:
    """Distances in both layers and the probability of the true class, by amount."""
    model = run.loaded_model
    network = model.network.to(device)
    first, last, scores = [], [], []
    with torch.inference_mode():
        for start in range(0, len(views), BATCH):
            pixels = torch.from_numpy(np.stack(views[start : start + BATCH])).permute(0, 3, 1, 2)
            nodes = [network.graph.layer(layer).node for layer in layers]
            maps = network.run(model.normalise(pixels.to(device)), [*nodes, network.graph.output])
            first.append(maps[nodes[0]].cpu())
            last.append(maps[nodes[1]].cpu())
            scores.append(maps[network.graph.output].flatten(1).cpu())
    low, high = torch.cat(first), torch.cat(last)
    probability = torch.cat(scores).softmax(dim=1)
    true = run.card.classes.index(run.images[row].label)
    return {
        "first": distances(low[1:], low[0]).round(6).tolist(),
        "last": distances(high[1:], high[0]).round(6).tolist(),
        "probability": probability[1:, true].double().numpy().round(6).tolist(),
    }


def _thumb(view: UInt8[np.ndarray, "crop crop 3"]) -> UInt8[np.ndarray, "px px 3"]:
    step = max(1, len(view) // THUMB_PX)
    side = len(view) // step * step
    blocks = view[:side, :side].reshape(side // step, step, side // step, step, 3)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)


def _summary(kinds: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The mean distance over images and amounts, by transformation and layer."""
    return {
        f"{kind['kind']}_{layer}_distance": round(
            float(np.mean([curve[layer] for curve in kind["curves"]])), 4
        )
        for kind in kinds
        for layer in ("first", "last")
    }
