"""The data of the pages' scripts: one value per data script."""

from collections.abc import Mapping, Sequence

import numpy as np

from atlas_site.catalogue import Catalogue
from atlas_site.channel_data import bins_shown_as_one, part_facts
from atlas_site.class_order import class_order
from atlas_site.connections import Connection, Expanded, Weights, merged
from atlas_site.example_data import example_facts
from atlas_site.firing import firing_facts
from atlas_site.layers import LayerView
from atlas_site.script import significant
from atlas_site.selectivity import preference
from atlas_site.sprites import (
    CHANNEL_GRID,
    IMAGE_GRID,
    Grid,
    channel_sheet_path,
    control_grid,
    control_path,
    image_sheet_path,
    saved_pictures,
    sprite_path,
)

BEST_CHANNELS = 12


def site_data(catalogue: Catalogue) -> Mapping[str, object]:
    """Facts for every page: layers, sprites, class names."""
    return {
        "side": catalogue.side,
        "run": f"{catalogue.atlas.card.arch} {catalogue.atlas.provenance.weights_sha256[:12]}",
        "top": catalogue.top,
        "inputPx": catalogue.input_px,
        "validationImages": len(catalogue.atlas.images),
        "classes": catalogue.classes,
        "thumbs": _places(Grid(2 * CHANNEL_GRID.columns, CHANNEL_GRID.rows)),
        "tiles": _places(Grid(2 * catalogue.side, catalogue.side)),
        "images": {**_places(IMAGE_GRID), "px": catalogue.image_px, "src": image_sheet_path("{}")},
        "layers": [_layer_facts(layer) for layer in catalogue.layers],
    }


def _places(grid: Grid) -> Mapping[str, object]:
    corners = [grid.corner(place) for place in range(grid.places)]
    return {"columns": grid.columns, "rows": grid.rows, "corners": corners}


def _layer_facts(layer: LayerView) -> Mapping[str, object]:
    """A layer's facts; in `sheet` and `sprite` a number replaces the braces."""
    return {
        "name": layer.name,
        "key": layer.key,
        "channels": len(layer.channels),
        "field": layer.field,
        "size": layer.field_size,
        "squares": {"first": layer.squares.first, "step": layer.squares.step},
        "mapSize": layer.map_size,
        "thumbPx": layer.tile.thumb,
        "spritePx": layer.tile.sprite,
        "pixelated": layer.tile.pixelated,
        "dead": layer.dead,
        "method": layer.projected.method,
        "startCosine": _optional(layer.start_cosine),
        "before": layer.before,
        "control": _control_facts(layer),
        "examples": example_facts(layer),
        "firing": firing_facts(layer.key, layer.firing),
        "parts": part_facts(layer.key),
        "sheet": channel_sheet_path(layer.key, "{}"),
        "sprite": sprite_path(layer.key, "{}"),
        "saved": saved_pictures(layer.key, "{}"),
    }


def _control_facts(layer: LayerView) -> Mapping[str, object] | None:
    """Where the controls are; None for a layer without."""
    ranks, correlation = layer.projected.control_ranks, layer.projected.control_correlation
    if not ranks:
        return None
    return {
        **_places(control_grid(ranks)),
        "ranks": ranks,
        "src": control_path(layer.key, "{}"),
        "correlation": _optional(correlation),
    }


def image_data(catalogue: Catalogue) -> Mapping[str, object]:
    """The images shown, in parallel lists; `label` and `predicted` are −1 where there is none.

    `right` counts all images by class, `confused` all that are wrong as [class, predicted, images].
    """
    number = catalogue.class_number
    predicted = [i.prediction for i in catalogue.images]
    found, numbers = catalogue.confusion, range(len(catalogue.classes))
    return {
        "row": [i.row for i in catalogue.images],
        "path": [i.path for i in catalogue.images],
        "label": [number.get(i.label, -1) for i in catalogue.images],
        "predicted": [number.get(p.label, -1) if p else -1 for p in predicted],
        "probability": [significant(p.probability) if p else 0 for p in predicted],
        "right": [found.counts[n, n] for n in numbers] if found else [],
        "confused": [[c.label, c.predicted, c.images] for c in found.pairs] if found else [],
    }


def layer_data(catalogue: Catalogue, layer: LayerView) -> Mapping[str, object]:
    """What a layer's page sorts and filters its channels by, in parallel lists, and the edges of
    their histograms; the rest of a channel is in `channel_data`."""
    record, channels = catalogue.atlas.scan(layer.name), layer.channels
    step = bins_shown_as_one(record.histogram.shape[1])
    edges = [*record.edges[:-1:step], record.edges[-1]]
    return {
        "edges": [significant(edge) for edge in edges],
        "columns": {
            "peak": [significant(c.peak) for c in channels],
            "fired": [c.fired for c in channels],
            "selectivity": [significant(c.selectivity) for c in channels],
            "effective": [significant(c.effective_classes) for c in channels],
            "start": [_optional(c.start_cosine) for c in channels],
            "patches": [_optional(c.patch_similarity) for c in channels],
            "image": [[catalogue.position[row] for row in c.images] for c in channels],
        },
    }


def _optional(value: float | None) -> float | None:
    return None if value is None else significant(value)


def weight_data(
    catalogue: Catalogue, layer: LayerView, weights: Sequence[Weights], further: Expanded
) -> Mapping[str, object]:
    """A layer's connections: by channel what feeds it, what it feeds, both through one layer, and
    which layers that feed it were not scanned."""
    below = [w for w in weights if w.above == layer.name]
    above = [w for w in weights if w.below == layer.name]
    two_below = [paths for paths in further.paths if paths.above == layer.name]
    two_above = [paths for paths in further.paths if paths.below == layer.name]
    index = {one.name: position for position, one in enumerate(catalogue.layers)}
    numbers = range(len(layer.channels))

    def listed(found: Sequence[Connection]) -> list[list[object]]:
        return [
            [index[c.layer], c.channel, significant(c.strength), *_kernel(c), index.get(c.via, -1)]
            for c in found
        ]

    return {
        "incoming": [listed(merged([w.incoming(n) for w in below])) for n in numbers],
        "outgoing": [listed(merged([w.outgoing(n) for w in above])) for n in numbers],
        "twoBelow": [listed(merged([p.incoming[n] for p in two_below])) for n in numbers],
        "twoAbove": [listed(merged([p.outgoing[n] for p in two_above])) for n in numbers],
        "skipped": [
            f"{low} to {high} through {between}"
            for low, between, high in further.skipped
            if layer.name in (low, high)
        ],
        "unscanned": [name for name in layer.before if name not in index],
    }


def _kernel(connection: Connection) -> tuple[int, list[int]]:
    """The columns of a kernel and its weights as −9 … 9, the largest magnitude being 9."""
    kernel = connection.kernel
    largest = float(np.abs(kernel).max()) or 1.0
    return kernel.shape[1], np.rint(9 * kernel / largest).astype(int).ravel().tolist()


def search_data(catalogue: Catalogue) -> Mapping[str, object]:
    """What the search looks through besides layers, classes and files: channels and names."""
    number, keys = catalogue.class_number, {layer.name: layer.key for layer in catalogue.layers}
    return {
        "favourite": {
            layer.key: [number.get(c.favourite, -1) for c in layer.channels]
            for layer in catalogue.layers
        },
        "names": [
            [keys[layer], channel, name.name, name.note, name.family]
            for (layer, channel), name in sorted(catalogue.names.items())
        ],
    }


def class_data(catalogue: Catalogue) -> Mapping[str, object]:
    """For every class the channels of each layer that prefer it most, with their preference."""
    best = {layer.key: _best(catalogue, layer.name) for layer in catalogue.layers}
    found, numbers = catalogue.confusion, range(len(catalogue.classes))
    accuracy = [found.accuracy(n) if found else None for n in numbers]
    return {
        "images": catalogue.class_sizes,
        "best": best,
        "accuracy": [None if a is None else significant(a) for a in accuracy],
        "order": class_order(found.counts) if found and not found.rows else [],
    }


def _best(catalogue: Catalogue, layer: str) -> list[list[tuple[int, float]]]:
    """By class: [channel, preference], the strongest preference first."""
    score = preference(catalogue.atlas.scan(layer).mean_peak_by_class)
    found: list[list[tuple[int, float]]] = []
    for column in score.T:
        order = np.argsort(-column, kind="stable")[:BEST_CHANNELS]
        found.append([(int(c), significant(float(column[c]))) for c in order if column[c] > 0])
    return found
