"""The sample: which entries and images are recomputed, and the verdict on each."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float64, UInt8

from pipeline.atlas import Run
from pipeline.storage.stores import ScanRecord
from pipeline.verify.entry import Verdict, check_entry
from pipeline.verify.omitted_images import omissions
from pipeline.verify.reference import Reference
from pipeline.verify.ties import Recall

Address = tuple[str, int, int]
"""Layer, channel, rank."""


def draw_entries(records: Mapping[str, ScanRecord], count: int, seed: int) -> list[Address]:
    """Draw entries that are not missing: of every layer the same number, as far as it has them."""
    rng = np.random.default_rng(seed)
    drawn: list[list[Address]] = []
    for layer, record in records.items():
        places = np.argwhere(record.image >= 0)
        chosen = rng.permutation(len(places))[: -(-count // len(records))]
        drawn.append([(layer, channel, rank) for channel, rank in places[chosen].tolist()])
    turns = max(map(len, drawn), default=0)
    return [layer[turn] for turn in range(turns) for layer in drawn if turn < len(layer)][:count]


def draw_images(run: Run, count: int, seed: int) -> list[int]:
    """Draw image rows of the validation split."""
    rng = np.random.default_rng([seed, 1])
    drawn: list[int] = rng.permutation(len(run.images))[:count].tolist()
    return drawn


def check_sample(
    run: Run, reference: Reference, addresses: Sequence[Address], recall: Recall, allowed: float
) -> Iterator[Verdict]:
    """Recompute entries from their image files, one verdict each.

    `allowed` is the largest error of an activation, as in `check_entry`. `recall` makes the run's
    own switches again; it is asked only where the reference disagrees. Raises AtlasError for an
    image that is not what the manifest lists.
    """
    for address in addresses:
        entry = run.entry(*address)
        pixels, image = _input(run, entry.image)
        field = run.field(entry.layer)
        yield check_entry(reference, entry, field, pixels, image, recall, allowed)


def check_images(
    run: Run, reference: Reference, rows: Sequence[int], allowed: float
) -> Iterator[list[str]]:
    """What is wrong with the places of some images among the entries, a list for each.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    for row in rows:
        _, image = _input(run, row)
        yield list(omissions(reference, run.records, row, image, allowed))


def _input(
    run: Run, row: int
) -> tuple[UInt8[np.ndarray, "row col 3"], Float64[torch.Tensor, "3 row col"]]:
    """An image as its file has it, and as the network takes it, normalised in double precision."""
    pixels, model = run.image(row), run.loaded_model
    image = torch.tensor(pixels).permute(2, 0, 1).double()
    normalisation = model.normalisation
    return pixels, (image - normalisation.mean.double()) * normalisation.scale.double()
