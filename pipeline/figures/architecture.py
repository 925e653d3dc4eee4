"""Figure 6: first-layer filters and second-layer projections of this network and its rivals.

A rival is another finished run, in a workspace of its own. What the paper says of them in words is
measured: dead channels, how unequal the filters are, their frequencies, the trace of the stride.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Float64

from pipeline.atlas import Run, open_atlas
from pipeline.atlas.layer_entries import entries_of
from pipeline.atlas.runner import entry_task
from pipeline.dataset.seeding import rng_for
from pipeline.errors import AtlasError
from pipeline.figures.figure import Work
from pipeline.figures.spectra import aliasing, fold_over, radial_shares, white_shares
from pipeline.network.filters import filter_rms
from pipeline.network.receptive_field import receptive_field
from pipeline.params.figures import FigureName
from pipeline.project.worker import ProjectConfig, ProjectTask, project_chunk
from pipeline.storage.figures import Arrays, FigureData
from pipeline.workspace import Workspace

BATCH = 32
SHOWN = 48
"""Second-layer channels whose projections are shown, at most."""


@dataclass(frozen=True)
class Rival:
    """A run that is compared; the first is this run itself."""

    name: str
    run: Run

    @property
    def layers(self) -> tuple[str, ...]:
        """The first two convolutions, as far as there are two; the first sees the pixels."""
        return self.run.graph.conv_layers[:2]

    @property
    def stride(self) -> int:
        """Pixels from one cell of the first layer to the next."""
        return receptive_field(self.run.graph, self.layers[0]).rows.jump

    @property
    def why_no_second(self) -> str:
        """The sentence that says why the second layer cannot be shown; empty where it can."""
        if len(self.layers) < 2:
            return "The network has one convolution."
        second = self.layers[1]
        if second not in self.run.layers:
            return f"{second} was not scanned (scan.layers)."
        if not (self.run.scan(second).image[:, 0] >= 0).any():
            return f"All channels of {second} are dead."
        return ""


class Architecture:
    """Figure 6: effects of the first filters' size, stride and cap on the first two layers."""

    name: FigureName = "architecture"

    def missing(self, run: Run) -> str:
        """It needs a convolution that sees the pixels; the second may be missing."""
        return _unfit(run)

    def steps(self, run: Run) -> int:
        """One for each network."""
        return 1 + len(run.params.figures.architecture.rivals)

    def compute(self, work: Work) -> FigureData:
        """The numbers and pictures of every network. Raises AtlasError for an unfit rival."""
        rivals = rivals_of(work.run)
        jobs = {
            place: (f"{place}_{rival.run.card.sha256[:12]}", _job(rival))
            for place, rival in enumerate(rivals)
            if not rival.why_no_second
        }
        made = work.each(project_second, dict(jobs.values()))
        work.advance(len(rivals) - len(jobs))
        facts: list[dict[str, object]] = []
        arrays: Arrays = {}
        for place, rival in enumerate(rivals):
            arrays[f"filters_{place}"] = filters = rival.run.weights.filters(rival.layers[0])
            facts.append(_facts(rival, filters))
            if place in jobs:
                found = made[jobs[place][0]]
                drawn = _shown(work.run.params.seed, len(found["channel"]))
                arrays[f"projections_{place}"] = found["projection"][drawn]
                facts[-1] |= _second_facts(rival, found, drawn)
            else:
                facts[-1]["why_no_second"] = rival.why_no_second
        return FigureData(
            {"networks": facts, "white_shares": white_shares().tolist()},
            arrays,
            _summary(facts[0]),
        )


def rivals_of(run: Run) -> tuple[Rival, ...]:
    """This run, then those that `figures.architecture.rivals` names, as far as they are finished.

    Raises AtlasError for one that cannot be opened or compared.
    """
    found = [Rival("this network", run)]
    for folder in run.params.figures.architecture.rivals:
        where = run.workspace.resolve(folder)
        other = open_atlas(Workspace(where).artifacts)
        if why := _unfit(other):
            raise AtlasError(
                f"figures.architecture.rivals: {where} cannot be compared. {why}",
                fix="Leave it out.",
            )
        found.append(Rival(where.name or folder, other))
    return tuple(found)


def project_second(task: ProjectTask, device: torch.device) -> Arrays:
    """The projections of a layer's strongest units, by channel.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    (values,) = project_chunk(task, device).values()
    order = np.argsort(values.channel)
    return {
        "channel": values.channel[order],
        "projection": values.arrays["projection"][order],
    }


def _unfit(run: Run) -> str:
    if run.graph.conv_layers[:1] != run.graph.layers[:1]:
        return "The network does not begin with a convolution."
    return ""


def _job(rival: Rival) -> ProjectTask:
    run, second = rival.run, rival.layers[1]
    config = ProjectConfig(
        run.model_folder,
        run.card.sha256,
        run.image_store,
        (second,),
        batch_size=BATCH,
        ranks=1,
        method=run.params.project.method,
    )
    return entry_task(config, run.images, {second: entries_of(run.scan(second), 1)})


def _shown(seed: int, alive: int) -> list[int]:
    """Places among the channels that are alive, drawn by the seed."""
    order = rng_for(seed, "architecture").permutation(alive)[:SHOWN]
    return sorted(order.tolist())


def _facts(
    rival: Rival, filters: Float32[np.ndarray, "filter row col colour"]
) -> dict[str, object]:
    """Of the network and its first layer; nothing yet of the second that only pictures tell."""
    run, rms = rival.run, filter_rms(torch.from_numpy(filters).double()).numpy()
    return {
        "name": rival.name,
        "arch": run.card.arch,
        "epochs": run.card.epochs_trained,
        "cap": None if run.card.origin else run.params.train.filter_rms_cap,
        "adopted": run.card.origin is not None,
        "layers": list(rival.layers),
        "kernel": list(filters.shape[1:3]),
        "stride": rival.stride,
        "fold_over": fold_over(rival.stride),
        "channels": [run.graph.layer(layer).channels for layer in rival.layers],
        "dead": [_dead(run, layer) for layer in rival.layers],
        "rms_spread": relative_spread(rms),
        "rms_largest": float(rms.max() / np.median(rms)) if np.median(rms) > 0 else None,
        "shares": radial_shares(filters).mean(axis=0).tolist(),
        "aliasing": None,
        "shown": [],
    }


def _dead(run: Run, layer: str) -> int | None:
    """Channels that no image excites; None where the layer was not scanned."""
    return int((run.scan(layer).image[:, 0] < 0).sum()) if layer in run.layers else None


def _second_facts(rival: Rival, found: Arrays, drawn: list[int]) -> dict[str, object]:
    """What the projections of the second layer tell."""
    traces = aliasing(found["projection"].astype(np.float32), rival.stride)
    traces = traces[np.isfinite(traces)]
    return {
        "aliasing": float(np.median(traces)) if len(traces) else None,
        "shown": found["channel"][drawn].tolist(),
    }


def relative_spread(values: Float64[np.ndarray, " filter"]) -> float:
    """The standard deviation in units of the mean; 0 where all are equal."""
    mean = values.mean()
    return float(values.std() / mean) if mean > 0 else 0.0


def _summary(own: dict[str, object]) -> dict[str, float]:
    """Of this network alone."""
    dead, shares = own["dead"], own["shares"]
    assert isinstance(dead, list)
    assert isinstance(shares, list)
    counted = zip(("first_layer_dead", "second_layer_dead"), dead, strict=False)
    summary = {name: float(count) for name, count in counted if count is not None}
    summary |= {
        "low_share": float(sum(shares[:3])),
        "middle_share": float(sum(shares[3:6])),
        "high_share": float(sum(shares[6:])),
    }
    for name in ("rms_spread", "rms_largest", "aliasing"):
        if isinstance(value := own[name], float):
            summary[name] = value
    return summary
