"""The layers of a large network by the blocks that its author gave it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from atlas_site.layers import LayerView

FEW = 12
"""So many layers need no groups."""
GROUPS = 3
"""Paths are cut where that gives so many groups, none with more than half the layers."""


@dataclass(frozen=True)
class LayerGroup:
    """Layers that follow each other."""

    name: str
    """The module that they are in; empty where they need no heading."""
    layers: tuple[LayerView, ...]


def layer_groups(layers: Sequence[LayerView]) -> tuple[LayerGroup, ...]:
    """Groups by the first parts of the layers' paths; single layers in a row are one group."""
    if len(layers) <= FEW:
        return (LayerGroup("", tuple(layers)),)
    deepest = max(layer.name.count(".") for layer in layers) + 1
    depths = range(1, deepest + 1)
    depth = next((d for d in depths if _is_fine(layers, d)), deepest)
    runs = [(name, tuple(run)) for name, run in groupby(layers, lambda one: _cut(one, depth))]
    groups = []
    for single, some in groupby(runs, lambda run: len(run[1]) == 1):
        if single:
            members = tuple(layer for _, run in some for layer in run)
            groups.append(LayerGroup(_span(members), members))
        else:
            groups += [LayerGroup(name, run) for name, run in some]
    return tuple(groups)


def _is_fine(layers: Sequence[LayerView], depth: int) -> bool:
    """Whether paths cut there give enough groups, none of them with more than half the layers."""
    sizes = Counter(_cut(layer, depth) for layer in layers)
    return len(sizes) >= GROUPS and 2 * max(sizes.values()) <= len(layers)


def _cut(layer: LayerView, depth: int) -> str:
    return ".".join(layer.name.split(".")[:depth])


def _span(layers: Sequence[LayerView]) -> str:
    ends = layers[0].name, layers[-1].name
    return ends[0] if len(layers) == 1 else " … ".join(ends)
