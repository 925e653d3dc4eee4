"""Layers as the pages show them."""

import statistics
from dataclasses import dataclass

from atlas_site.channels import Channel, gather_channels, strong
from atlas_site.firing import FiringMaps, firing_maps
from atlas_site.layer_keys import layer_keys
from atlas_site.pictures import TileSize
from atlas_site.sprites import COVER_GRID
from pipeline.atlas import INPUT, Run, Squares, layer_feeds
from pipeline.errors import AtlasError

Pair = tuple[int, int]
"""Along rows, along columns."""


@dataclass(frozen=True)
class Projected:
    """The projection of a layer, and how far the network at its start gives the same."""

    method: str
    """`deconvnet`, `guided` or `gradient`."""
    why: str
    """What decided it; empty where the store does not say."""
    control_ranks: int
    """How many of the first ranks have a control; 0 where the store has none."""
    control_correlation: float | None
    """Mean magnitude of the correlation of projections with their controls; None where not known,
    as of blank controls alone."""


@dataclass(frozen=True)
class LayerView:
    """A scanned layer."""

    name: str
    key: str
    """The name in file names and addresses."""
    map_size: Pair
    """Rows and columns of its map, in cells."""
    field: int
    """The longer side of its receptive field, in input pixels."""
    field_size: Pair
    """Rows and columns of its receptive field."""
    reduction: int
    """The side of the squares of input pixels that are one pixel of its stored pictures."""
    branches: bool
    """Whether its channels come from branches that see differently much."""
    squares: Squares
    """Where the squares of its cells are in the image."""
    channels: tuple[Channel, ...]
    projected: Projected
    """What the store of projections says of the layer."""
    covers: tuple[int, ...]
    """The most selective channels, in order of number: the layer's face on the first page."""
    before: tuple[str, ...]
    """The layers that feed it with no layer between; empty where the input alone does."""
    bands: tuple[str, ...]
    """The band of each example beyond the strongest; empty where the stores have none."""
    firing: FiringMaps | None
    """Its activation maps; None where there are none to show."""

    @property
    def href(self) -> str:
        """Its page."""
        return f"{self.key}.html"

    @property
    def tile(self) -> TileSize:
        """How large its tiles are."""
        return TileSize(self.field)

    @property
    def start_cosine(self) -> float | None:
        """The median over channels of how much of a filter is still its start."""
        values = [c.start_cosine for c in self.channels if c.start_cosine is not None]
        return statistics.median(values) if values else None

    @property
    def has_patch_similarity(self) -> bool:
        """Whether some channel's patches are compared."""
        return any(channel.patch_similarity is not None for channel in self.channels)

    @property
    def dead(self) -> int:
        """How many channels are dead."""
        return sum(channel.dead for channel in self.channels)


def gather_layers(atlas: Run) -> tuple[LayerView, ...]:
    """All scanned layers, in the order of the network."""
    keys = layer_keys(atlas.layers)
    return tuple(_layer(atlas, name, keys[name]) for name in atlas.layers)


def gather_layer(atlas: Run, name: str) -> LayerView:
    """One layer alone. Raises AtlasError for a layer that was not scanned."""
    if name not in atlas.layers:
        raise AtlasError(
            f"The run has no scanned layer {name!r}.",
            fix=f"Choose one of {', '.join(atlas.layers)}.",
        )
    return _layer(atlas, name, layer_keys(atlas.layers)[name])


def _layer(atlas: Run, name: str, key: str) -> LayerView:
    field = atlas.field(name)
    channels = gather_channels(atlas, name, key)
    ranked = sorted(
        (c for c in strong(channels) if c.entries == atlas.scan(name).image.shape[1]),
        key=lambda c: (-c.selectivity, c.number),
    )
    return LayerView(
        name=name,
        key=key,
        map_size=atlas.graph.layer(name).size,
        field=max(field.size),
        field_size=field.size,
        reduction=atlas.pictures.reduction(name),
        branches=bool(field.branches),
        squares=atlas.cell_squares(name),
        channels=channels,
        projected=_projected(atlas, name),
        covers=tuple(sorted(c.number for c in ranked[: COVER_GRID.places])),
        before=_before(atlas, name),
        bands=_bands(atlas, name),
        firing=firing_maps(atlas, name),
    )


def _before(atlas: Run, layer: str) -> tuple[str, ...]:
    names = atlas.graph.layers
    feeds = layer_feeds(atlas.graph)[names.index(layer)]
    return tuple(names[feed] for feed in feeds if feed != INPUT)


def _bands(atlas: Run, layer: str) -> tuple[str, ...]:
    examples = atlas.scan(layer).examples
    if examples is None or atlas.pictures.example_crops(layer, slice(0, 1)) is None:
        return ()
    return tuple(map(str, examples.example))


def _projected(atlas: Run, layer: str) -> Projected:
    facts = atlas.pictures.facts(layer)
    control = atlas.pictures.controls(layer, slice(0, 1))
    correlation = facts.get("control_correlation")
    return Projected(
        method=str(facts.get("method", "deconvnet")),
        why=str(facts.get("method_why", "")),
        control_ranks=0 if control is None else int(control.shape[1]),
        control_correlation=None if correlation is None else float(correlation),
    )
