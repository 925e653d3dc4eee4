"""The sample: which entries and images are recomputed, and the verdict on each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float64, Int32, UInt8

from pipeline.atlas import Run
from pipeline.verify.entry import PictureFrame, Verdict, check_entry
from pipeline.verify.omitted_images import omissions
from pipeline.verify.reference import Reference
from pipeline.verify.ties import SwitchClaims

Address = tuple[str, int, int]
"""Layer, channel, rank."""


@dataclass
class ImageSample:
    """The sample of one image: entries that it is shown in, and whether it lacks some."""

    row: int
    addresses: list[Address] = field(default_factory=list)
    in_all_layers: bool = False
    """Whether its peaks in every channel are compared with the entries."""


def draw_sample(
    shown: Mapping[str, Int32[np.ndarray, "channel rank"]],
    images: int,
    entries: int,
    looked_for: int,
    seed: int,
) -> list[ImageSample]:
    """Draw image rows, and entries of them: of every layer the same number, as far as it has them.

    `shown` has the image rows of each layer's entries, -1 where one is missing. Image rows come in
    an order drawn by the seed. Each layer gives all its entries of the first image, then those of
    the second, until it has its share: the pass through the network, which costs most, then serves
    many entries. The first `looked_for` rows are looked for in all layers.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(images)
    turn = np.empty(images, np.int64)
    turn[order] = np.arange(images)
    samples = {int(row): ImageSample(int(row), in_all_layers=True) for row in order[:looked_for]}
    for place, (layer, rows) in enumerate(shown.items()):
        entry = np.argwhere(rows >= 0)
        entry = entry[np.argsort(turn[rows[tuple(entry.T)]], kind="stable")]
        share = (entries + len(shown) - 1 - place) // len(shown)
        for channel, rank in entry[:share].tolist():
            row = int(rows[channel, rank])
            sample = samples.setdefault(row, ImageSample(row))
            sample.addresses.append((layer, channel, rank))
    return list(samples.values())


def check_sample(
    run: Run, reference: Reference, sample: ImageSample, replay: SwitchClaims, allowed: float
) -> tuple[list[Verdict], list[str]]:
    """Recompute entries of an image from its file, and say in which channels it is lacking.

    `allowed` is the largest error of an activation, as in `check_entry`. `replay` makes the run's
    own switches again; it is asked only where the reference disagrees. Raises AtlasError for an
    image that is not what the manifest lists.
    """
    pixels, image = _input(run, sample.row)
    layers = run.records if sample.in_all_layers else dict.fromkeys(a[0] for a in sample.addresses)
    passed = reference(image, tuple(layers))
    verdicts = []
    for address in sample.addresses:
        entry = run.entry(*address)
        pictured = PictureFrame(run.field(entry.layer), run.pictures.reduction(entry.layer))
        verdicts.append(
            check_entry(reference, passed, entry, pictured, pixels, image, replay, allowed)
        )
    if not sample.in_all_layers:
        return verdicts, []
    return verdicts, list(omissions(run.graph, run.records, sample.row, passed, allowed))


def _input(
    run: Run, row: int
) -> tuple[UInt8[np.ndarray, "row col 3"], Float64[torch.Tensor, "3 row col"]]:
    """An image as its file has it, and as the network takes it, normalised in double precision."""
    pixels, model = run.image(row), run.loaded_model
    image = torch.tensor(pixels).permute(2, 0, 1).double()
    normalisation = model.normalisation
    return pixels, (image - normalisation.mean.double()) * normalisation.scale.double()
