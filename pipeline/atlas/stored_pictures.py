"""What the stores of projections and crops hold, by layer; older stores lack some of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import zarr
from jaxtyping import Float16, Float32, Int16, UInt8

from pipeline.storage.stores import Kind, open_layer, read_array

Stored = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class LayerPictures:
    """The pictures of some consecutive channels of a layer, as stored."""

    projection: Float16[np.ndarray, "channel rank row col 3"]
    """Signed, divided by `scale`: the largest magnitude of a picture is 1."""
    scale: Float32[np.ndarray, "channel rank"]
    """The largest magnitude of each projection before the division."""
    crop: UInt8[np.ndarray, "channel rank row col 3"]
    """The pixels under each box; 0 outside the image."""


ActivationMaps = tuple[
    UInt8[np.ndarray, "channel rank map_row map_col"], Float32[np.ndarray, "channel rank 2"]
]
"""Levels of maps, and by map the values of the levels 0 and 255."""


@dataclass(frozen=True)
class StoredPictures:
    """The arrays of both stores. `channels` are consecutive; an array that an older store lacks is
    None."""

    store: Callable[[Kind], zarr.Group]
    """Opens a store; raises AtlasError where it is missing or of another run."""

    def read(self, layer: str, channels: slice) -> LayerPictures:
        """The projections and crops of consecutive channels, read as one piece.

        32 channels that start at a multiple of 32 are one shard of the store.
        """
        projections = open_layer(self.store("projections"), layer)
        crops = open_layer(self.store("crops"), layer)
        return LayerPictures(
            read_array(projections, "projections", "projection", channels),
            read_array(projections, "projections", "scale", channels),
            read_array(crops, "crops", "crop", channels),
        )

    def energy_boxes(self, layer: str) -> Int16[np.ndarray, "channel rank 4"] | None:
        """By entry, the square with most of its projection's energy, in pixels; None without."""
        return self._optional("projections", layer, "energy_box", slice(None))

    def controls(
        self, layer: str, channels: slice
    ) -> Float16[np.ndarray, "channel control_rank row col 3"] | None:
        """Projections of the first ranks through the network at its start, divided by their scale,
        or None where the store has none."""
        return self._optional("projections", layer, "control", channels)

    def example_crops(
        self, layer: str, channels: slice
    ) -> UInt8[np.ndarray, "channel example row col 3"] | None:
        """The pixels under the boxes of the examples beyond the strongest, 0 outside the image, or
        None where the store has none."""
        return self._optional("crops", layer, "example_crop", channels)

    def activation_maps(self, layer: str, channels: slice) -> ActivationMaps | None:
        """Where the channel of each entry fires in the whole image, and the range of the levels.

        Level 0 is the first, level 255 the second of the two. None where the store has none.
        """
        levels = self._optional("projections", layer, "activation_map", channels)
        ends = self._optional("projections", layer, "map_range", channels)
        return None if levels is None or ends is None else (levels, ends)

    def patch_similarity(self, layer: str) -> Float32[np.ndarray, " channel"] | None:
        """How alike each channel's patches are to the layer before, NaN for fewer than two, or None
        where the store has none."""
        return self._optional("projections", layer, "patch_similarity", slice(None))

    def facts(self, layer: str) -> dict[str, Any]:
        """Attributes of a layer's projections: `method`, `control_correlation`, as far as known."""
        return dict(open_layer(self.store("projections"), layer).attrs)

    def scales(self, layer: str) -> Float32[np.ndarray, "channel rank"]:
        """The largest magnitude of every projection of a layer; 0 where there is no signal."""
        return read_array(open_layer(self.store("projections"), layer), "projections", "scale")

    def reduction(self, layer: str) -> int:
        """The side of the squares of input pixels that are one pixel of a layer's pictures."""
        return int(self.facts(layer).get("reduction", 1))

    def _optional(self, kind: Kind, layer: str, name: str, part: slice) -> Stored | None:
        """An array that older stores lack; None from such a one."""
        group = open_layer(self.store(kind), layer)
        return read_array(group, kind, name, part) if name in group else None
