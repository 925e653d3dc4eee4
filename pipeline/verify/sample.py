"""The sample: which entries are recomputed, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import zarr
from jaxtyping import Float64, UInt8

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import ImageStore
from pipeline.dataset.verified import load_verified
from pipeline.network.geometry import receptive_field
from pipeline.network.model import Model
from pipeline.storage.stores import ScanRecord, open_layer, read_array
from pipeline.verify.entry import StoredEntry, Verdict, check_entry
from pipeline.verify.omission import omissions
from pipeline.verify.reference import Reference
from pipeline.verify.ties import Recall

Place = tuple[str, int, int]
"""Layer, channel, rank."""


def draw(records: Mapping[str, ScanRecord], count: int, seed: int) -> list[Place]:
    """Draw entries that are not missing: of every layer the same number, as far as it has them."""
    chance = np.random.default_rng(seed)
    drawn: list[list[Place]] = []
    for layer, record in records.items():
        places = np.argwhere(record.image >= 0)
        chosen = chance.permutation(len(places))[: -(-count // len(records))]
        drawn.append([(layer, channel, rank) for channel, rank in places[chosen].tolist()])
    turns = max(map(len, drawn), default=0)
    return [layer[turn] for turn in range(turns) for layer in drawn if turn < len(layer)][:count]


@dataclass(frozen=True)
class Stores:
    """The finished run that is checked."""

    model: Model
    records: Mapping[str, ScanRecord]
    rows: tuple[ImageRow, ...]
    """The validation rows of the manifest."""
    images: ImageStore
    """Where the rows' images are."""
    projections: zarr.Group
    crops: zarr.Group

    @cached_property
    def reference(self) -> Reference:
        """The model in double precision."""
        return Reference(self.model.graph, self.model.network.state_dict())

    def input(
        self, row: int
    ) -> tuple[UInt8[np.ndarray, "row col 3"], Float64[torch.Tensor, "3 row col"]]:
        """An image as its file has it, and as the network takes it."""
        model = self.model
        pixels = load_verified(self.images, self.rows[row], model.card.resize, model.card.crop)
        image = torch.tensor(pixels).permute(2, 0, 1).double()
        normalisation = model.normalisation
        return pixels, (image - normalisation.mean.double()) * normalisation.scale.double()

    def entry(self, layer: str, channel: int, rank: int) -> StoredEntry:
        """What the stores say of an entry. Raises AtlasError where their bytes are damaged."""
        record, part = self.records[layer], slice(channel, channel + 1)
        pictures, patches = open_layer(self.projections, layer), open_layer(self.crops, layer)
        scale = read_array(pictures, "projections", "scale", part)[0, rank]
        picture = read_array(pictures, "projections", "projection", part)[0, rank]
        row, col = record.cell[channel, rank].tolist()
        return StoredEntry(
            layer,
            channel,
            rank,
            float(record.activation[channel, rank]),
            (row, col),
            record.box[channel, rank],
            picture.astype(np.float32) * scale,
            read_array(patches, "crops", "crop", part)[0, rank],
        )


def check_sample(
    stores: Stores, places: list[Place], recall: Recall, allowed: float
) -> Iterator[Verdict]:
    """Recompute entries from their image files, one verdict each.

    `allowed` is the largest error of an activation, as in `check_entry`. `recall` makes the run's
    own switches again; it is asked only where the reference disagrees. Raises AtlasError for an
    image that is not what the manifest lists.
    """
    for layer, channel, rank in places:
        pixels, image = stores.input(int(stores.records[layer].image[channel, rank]))
        entry = stores.entry(layer, channel, rank)
        field = receptive_field(stores.model.graph, layer)
        yield check_entry(stores.reference, entry, field, pixels, image, recall, allowed)


def draw_images(stores: Stores, count: int, seed: int) -> list[int]:
    """Draw image rows of the validation split."""
    chance = np.random.default_rng([seed, 1])
    drawn: list[int] = chance.permutation(len(stores.rows))[:count].tolist()
    return drawn


def check_images(stores: Stores, rows: Sequence[int], allowed: float) -> Iterator[list[str]]:
    """What is wrong with the places of some images among the entries, a list for each.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    for row in rows:
        _, image = stores.input(row)
        yield list(omissions(stores.reference, stores.records, row, image, allowed))
