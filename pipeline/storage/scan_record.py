"""One layer of the scan, as the store holds it."""

import dataclasses
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float32, Int32, Int64, Shaped

SCAN_DIMENSIONS: dict[str, tuple[str, ...]] = {
    "activation": ("channel", "rank"),
    "image": ("channel", "rank"),
    "cell": ("channel", "rank", "axis"),
    "box": ("channel", "rank", "edge"),
    "histogram": ("channel", "bin"),
    "fired": ("channel",),
    "mean_peak_by_class": ("channel", "class"),
}
AXES = ("row", "col")
EDGES = ("top", "left", "bottom", "right")
"""Coordinates of the dimensions `axis` and `edge`."""


@dataclass(frozen=True)
class Variable:
    """An array of a store, labelled. One named as its only dimension is that one's coordinate."""

    values: Shaped[np.ndarray, "..."]
    dimensions: tuple[str, ...]
    attributes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ExampleRecord:
    """The examples of a layer's channels; each field is the Zarr array of its name."""

    example_activation: Float32[np.ndarray, "channel example"]
    """Peak of the example; 0 where an example is missing or silent."""
    example_image: Int32[np.ndarray, "channel example"]
    """Image row in the validation split; −1 where an example is missing."""
    example_cell: Int32[np.ndarray, "channel example 2"]
    """(row, col) of the peak; the middle of the map where the image is silent."""
    example_box: Int32[np.ndarray, "channel example 4"]
    """The unit's receptive field; 0 where an example is missing."""
    example: Shaped[np.ndarray, " example"]
    """The band of each example, say `90%`, `weakest` or `silent`."""


@dataclass(frozen=True)
class ScanRecord:
    """One layer of the scan; a field is the Zarr array of its name, but for the last two."""

    activation: Float32[np.ndarray, "channel rank"]
    """Peak of the entry, strongest first; 0 where an entry is missing."""
    image: Int32[np.ndarray, "channel rank"]
    """Image row in the validation split; −1 where an entry is missing."""
    cell: Int32[np.ndarray, "channel rank 2"]
    """(row, col) of the peak on the layer's map; −1 where an entry is missing."""
    box: Int32[np.ndarray, "channel rank 4"]
    """The unit's receptive field; 0 where an entry is missing."""
    histogram: Int64[np.ndarray, "channel bin"]
    """How many images have their peak in each bin."""
    fired: Int64[np.ndarray, " channel"]
    """How many images have a peak above 0."""
    mean_peak_by_class: Float32[np.ndarray, "channel class"]
    """Mean of the peaks over each class's images; NaN for a class without one."""
    edges: tuple[float, ...]
    """Edges of the bins, one more than there are bins; an attribute of `histogram`."""
    examples: ExampleRecord | None = None
    """Images at quantiles of the peaks, the weakest and silent ones, where the store has them."""

    def variables(self) -> dict[str, Variable]:
        """The arrays to write."""
        found = {n: Variable(getattr(self, n), d) for n, d in SCAN_DIMENSIONS.items()}
        histogram = Variable(self.histogram, ("channel", "bin"), {"edges": list(self.edges)})
        return found | {"histogram": histogram}


EXAMPLE_ARRAYS = tuple(one.name for one in dataclasses.fields(ExampleRecord))


def scan_record(
    arrays: Mapping[str, Shaped[np.ndarray, "..."]], edges: Sequence[float]
) -> ScanRecord:
    """The record of a layer's arrays by name; others than a record has are left out."""
    own = {name: arrays[name] for name in SCAN_DIMENSIONS}
    examples = {name: arrays[name] for name in EXAMPLE_ARRAYS if name in arrays}
    return ScanRecord(
        **own,
        edges=tuple(map(float, edges)),
        examples=ExampleRecord(**examples) if examples else None,
    )


def scan_sha256(records: Mapping[str, ScanRecord]) -> str:
    """One hash over the entries of all layers: which image, which cell, how strong."""
    digest = hashlib.sha256()
    for layer, record in records.items():
        digest.update(f"{layer} {record.image.shape}\0".encode())
        shown = [record.image, record.cell, record.activation]
        if record.examples is not None:
            shown += [record.examples.example_image, record.examples.example_cell]
        for values in shown:
            digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()
