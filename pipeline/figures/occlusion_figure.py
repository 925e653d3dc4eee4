"""Figure 7: what becomes of a channel and of the class while a square hides a part of the image."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float64

from pipeline.atlas import Run
from pipeline.compute.device import configure_matmul
from pipeline.dataset.verified import load_verified
from pipeline.errors import AtlasError
from pipeline.figures.figure import Work
from pipeline.figures.layers import last_map, scores_classes
from pipeline.figures.occlusion import OcclusionMaps, occlude
from pipeline.figures.projection import box_of, project_unit
from pipeline.figures.subjects import (
    RunAccess,
    Subject,
    model_on,
    source_of,
    subject_facts,
    subjects,
)
from pipeline.network.ops import LocalResponseNorm
from pipeline.network.overflow import is_overflow_safe
from pipeline.params import Method
from pipeline.params.figures import FigureName, OcclusionParams
from pipeline.project.method import method_of
from pipeline.storage.figures import Arrays, FigureData


@dataclass(frozen=True)
class OcclusionJob:
    """One image under the square at all its places."""

    source: RunAccess
    subject: Subject
    layer: str
    method: Method
    params: OcclusionParams


class Occlusion:
    """Maps of a channel's activation, the class's probability and the most probable class."""

    name: FigureName = "occlusion"

    def missing(self, run: Run) -> str:
        """It needs class scores, a layer with a map, and an input larger than the square."""
        side, (_, rows, cols) = run.params.figures.occlusion.side, run.graph.input
        if not scores_classes(run.graph, len(run.card.classes)):
            return "The network's output is not a list of class scores."
        layer = last_map(run.graph)
        if layer is None:
            return "The network has no layer with a map: it is fully connected throughout."
        if side > min(rows, cols):
            return f"The square of {side} pixels is larger than the input of {rows} × {cols}."
        if not _stays_finite(run):
            return "The network's weights are so large, or no numbers, that activations overflow."
        try:
            method_of(run.graph, layer.name, run.params.project.method)
        except AtlasError as unfit:
            return str(unfit)
        return ""

    def steps(self, run: Run) -> int:
        """One for each image."""
        return len(subjects(run))

    def compute(self, work: Work) -> FigureData:
        """The maps of every image."""
        run, chosen = work.run, subjects(work.run)
        layer, params = last_map(run.graph), run.params.figures.occlusion
        assert layer is not None
        source = source_of(run)
        method = method_of(run.graph, layer.name, run.params.project.method)
        jobs = {
            f"image {subject.row}": OcclusionJob(source, subject, layer.name, method, params)
            for subject in chosen
        }
        found = list(work.each(hide_everywhere, jobs).values())
        images = [
            _image_facts(run, layer.name, subject, one)
            for subject, one in zip(chosen, found, strict=True)
        ]
        facts = {
            "layer": layer.name,
            "method": method,
            "side": params.side,
            "corner_rows": found[0]["corner_rows"].tolist(),
            "corner_cols": found[0]["corner_cols"].tolist(),
            "images": images,
        }
        names = ("image", "activation", "probability", "predicted", "projection")
        arrays = {name: np.stack([one[name] for one in found]) for name in names}
        return FigureData(facts, arrays, _summary(images, found))


def _stays_finite(run: Run) -> bool:
    """Whether the incremental pass gives what a whole one does.

    The bound of a deep network's activations is far above any that occur, so that it alone rules
    out none but those with a response norm, which would spread a NaN over all channels.
    """
    if is_overflow_safe(run.loaded_model, [run.graph.output]):
        return True
    if any(isinstance(node.op, LocalResponseNorm) for node in run.graph.nodes):
        return False
    return all(bool(values.isfinite().all()) for values in run.model().state_dict().values())


def hide_everywhere(job: OcclusionJob, device: torch.device) -> Arrays:
    """One image under the square at all its places, and the projection of the channel's peak.

    The projection is divided by its largest magnitude. Raises AtlasError where the image is not
    what the manifest lists.
    """
    configure_matmul(device, tf32=False)
    model = model_on(job.source, device)
    pixels = load_verified(job.source.images, job.subject.image, *model.card.framing)
    image = model.normalisation(torch.tensor(pixels, device=device).permute(2, 0, 1)[None])
    label = job.subject.label
    if label is None:
        with torch.inference_mode():
            label = int(model.network(image)[0].argmax())
    params = job.params
    maps = occlude(
        model.network,
        model.normalisation,
        job.layer,
        pixels,
        label,
        params.side,
        params.stride,
        params.value,
    )
    unit = maps.channel, maps.cell, maps.peak
    picture = project_unit(model.network, image, job.layer, *unit, job.method)
    largest = float(np.abs(picture).max()) or 1.0
    return {
        "image": pixels,
        "projection": (picture / largest).astype(np.float16),
        "followed": np.array(label),
        **_arrays(maps),
    }


def _arrays(maps: OcclusionMaps) -> Arrays:
    return {name: np.asarray(value) for name, value in vars(maps).items()}


def _image_facts(run: Run, layer: str, subject: Subject, found: Arrays) -> dict[str, object]:
    cell = (int(found["cell"][0]), int(found["cell"][1]))
    facts = subject_facts(
        run,
        subject,
        followed=int(found["followed"]),
        predicted=int(found["predicted_unchanged"]),
        probability=float(found["probability_unchanged"]),
    )
    return facts | {
        "channel": int(found["channel"]),
        "activation": float(found["activation_unchanged"]),
        "box": list(box_of(run.model(), layer, cell)),
        "agreement": _agreement(run.params.figures.occlusion.side, found),
    }


def _agreement(side: int, found: Arrays) -> float | None:
    """Pearson's correlation, over the places, of the fall of the channel's sum with the energy of
    its projection under the square; None where one of them is the same everywhere."""
    fall = float(found["activation_unchanged"]) - found["activation"].astype(np.float64)
    energy = under_square(
        np.square(found["projection"].astype(np.float64)).sum(axis=2),
        found["corner_rows"],
        found["corner_cols"],
        side,
    )
    if fall.std() == 0 or energy.std() == 0:
        return None
    return float(np.corrcoef(fall.ravel(), energy.ravel())[0, 1])


def under_square(
    energy: Float[np.ndarray, "pixel_row pixel_col"],
    rows: np.ndarray,
    cols: np.ndarray,
    side: int,
) -> Float64[np.ndarray, "row col"]:
    """The sum under a square whose top left corner is at each of some rows and columns."""
    sums = np.pad(energy.astype(np.float64), ((1, 0), (1, 0))).cumsum(axis=0).cumsum(axis=1)
    top, left = np.ix_(rows, cols)
    bottom, right = top + side, left + side
    under: Float64[np.ndarray, "row col"] = (
        sums[bottom, right] - sums[top, right] - sums[bottom, left] + sums[top, left]
    )
    return under


def _summary(images: list[dict[str, object]], found: list[Arrays]) -> dict[str, float]:
    """Means over the images."""
    falls = [float(one["probability_unchanged"]) - float(one["probability"].min()) for one in found]
    kept = [float((one["predicted"] == one["predicted_unchanged"]).mean()) for one in found]
    agreement = [float(one["agreement"]) for one in images if isinstance(one["agreement"], float)]
    summary = {"largest_fall_of_probability": float(np.mean(falls))}
    summary["places_that_keep_the_class"] = float(np.mean(kept))
    if agreement:
        summary["agreement_with_projection"] = float(np.mean(agreement))
    return summary
