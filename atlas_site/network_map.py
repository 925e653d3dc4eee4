"""The network drawn to scale: a slab per layer, of its map's sides, as deep as its channels."""

from collections.abc import Sequence
from dataclasses import dataclass

from atlas_site.layers import LayerView

LARGEST_SIDE = 84.0
DEEPEST = 56.0
SLANT = 0.45
SMALLEST_SIDE = 3.0
SMALLEST_LABELLED_INSIDE = 12.0
APART = 8.0
"""Fields are drawn where their sides, out of 100, differ by so much: their names do not overlap."""
HEIGHT = LARGEST_SIDE + DEEPEST * SLANT + 4
WIDTH = LARGEST_SIDE + DEEPEST + 4


@dataclass(frozen=True)
class Slab:
    """A box seen from the front left, in a picture of `WIDTH` × `HEIGHT`."""

    front: str
    top: str
    side: str
    """Outlines of its three visible faces, for SVG polygons."""


def slabs(layers: Sequence[LayerView]) -> dict[str, Slab]:
    """The slab of each layer by name, all on one scale: maps in cells, depth in channels."""
    largest = max(max(layer.map_size) for layer in layers)
    most = max(len(layer.channels) for layer in layers)
    return {
        layer.name: _slab(
            max(SMALLEST_SIDE, LARGEST_SIDE * layer.map_size[0] / largest),
            max(SMALLEST_SIDE, LARGEST_SIDE * layer.map_size[1] / largest),
            DEEPEST * len(layer.channels) / most,
        )
        for layer in layers
    }


def _slab(height: float, width: float, depth: float) -> Slab:
    """A slab that stands on the ground line at the left of the picture."""
    left = 2.0
    right, bottom = left + width, HEIGHT - 2
    top = bottom - height
    back = depth * SLANT
    return Slab(
        front=_points((left, top), (right, top), (right, bottom), (left, bottom)),
        top=_points(
            (left, top), (left + depth, top - back), (right + depth, top - back), (right, top)
        ),
        side=_points(
            (right, top),
            (right + depth, top - back),
            (right + depth, bottom - back),
            (right, bottom),
        ),
    )


def _points(*corners: tuple[float, float]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


@dataclass(frozen=True)
class FieldBox:
    """A layer's receptive field drawn around the middle of an image of side 100."""

    layer: str
    top: float
    left: float
    height: float
    width: float
    label_x: float


def field_boxes(layers: Sequence[LayerView], input_px: int) -> tuple[FieldBox, ...]:
    """The fields of the layers to scale, the largest first; whole-image fields are left out, and
    those that are hardly smaller than one drawn."""
    boxes: list[FieldBox] = []
    for layer in sorted(layers, key=lambda one: -one.field):
        height, width = (100 * side / input_px for side in layer.field_size)
        longer = max(height, width)
        last = max(boxes[-1].height, boxes[-1].width) if boxes else 100 + APART
        if layer.field < input_px and last - longer >= APART:
            top, left = (100 - height) / 2, (100 - width) / 2
            inside = min(height, width) > SMALLEST_LABELLED_INSIDE
            label = left + 1 if inside else left + width + 1
            boxes.append(FieldBox(layer.name, top, left, height, width, label))
    return tuple(boxes)
