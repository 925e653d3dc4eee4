"""What the scripts of the pages read: one value per data script."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float32, Float64

from atlas_site.catalogue import Catalogue, Channel, Layer
from atlas_site.related import related_channels
from atlas_site.script import rounded
from atlas_site.selectivity import top_classes
from atlas_site.sprites import (
    CHANNEL_GRID,
    IMAGE_GRID,
    Grid,
    channel_sheet_path,
    image_sheet_path,
    sprite_path,
)

BEST_CHANNELS = 12
SHOWN_BINS = 64


def site_data(catalogue: Catalogue) -> Mapping[str, object]:
    """Facts for every page: layers, sprites, class names."""
    return {
        "side": catalogue.side,
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


def _layer_facts(layer: Layer) -> Mapping[str, object]:
    """A layer's facts; in `sheet` and `sprite` a number replaces the braces."""
    return {
        "name": layer.name,
        "key": layer.key,
        "channels": len(layer.channels),
        "field": layer.field,
        "jump": layer.jump,
        "mapSize": layer.map_size,
        "thumbPx": layer.tile.thumb,
        "spritePx": layer.tile.sprite,
        "pixelated": layer.tile.pixelated,
        "sheet": channel_sheet_path(layer.key, "{}"),
        "sprite": sprite_path(layer.key, "{}"),
    }


def image_data(catalogue: Catalogue) -> Mapping[str, object]:
    """The images shown, in parallel lists; `predicted` is −1 where there is no prediction."""
    number = catalogue.class_number
    predicted = [i.prediction for i in catalogue.images]
    return {
        "row": [i.row for i in catalogue.images],
        "path": [i.path for i in catalogue.images],
        "label": [number[i.label] for i in catalogue.images],
        "predicted": [number.get(p.label, -1) if p else -1 for p in predicted],
        "probability": [rounded(p.probability) if p else 0 for p in predicted],
    }


def layer_data(catalogue: Catalogue, layer: Layer) -> Mapping[str, object]:
    """A layer's channels with their entries, statistics and related channels."""
    record = catalogue.atlas.scan(layer.name)
    step = -(-record.histogram.shape[1] // SHOWN_BINS)
    edges = [*record.edges[:-1:step], record.edges[-1]]
    scales = catalogue.atlas.scales(layer.name)
    return {
        "edges": [rounded(edge) for edge in edges],
        "channels": [
            {**_channel_data(catalogue, layer, c.number, step), "scale": _scale(scales, c)}
            for c in layer.channels
        ],
    }


def _scale(scales: Float32[np.ndarray, "channel rank"], channel: Channel) -> list[float]:
    """The largest magnitude of the projection, by rank, in units of the normalised input."""
    return [rounded(float(s)) for s in scales[channel.number, : channel.entries]]


def _channel_data(
    catalogue: Catalogue, layer: Layer, number: int, step: int
) -> Mapping[str, object]:
    record, channel = catalogue.atlas.scan(layer.name), layer.channels[number]
    kept = channel.entries
    images = record.image[number, :kept].tolist()
    starts = np.arange(0, record.histogram.shape[1], step)
    names = [one.name for one in catalogue.layers]
    return {
        "peak": rounded(channel.peak),
        "fired": channel.fired,
        "selectivity": rounded(channel.selectivity),
        "effective": rounded(channel.effective_classes),
        "activation": [rounded(float(a)) for a in record.activation[number, :kept]],
        "image": [catalogue.position[row] for row in images],
        "cell": record.cell[number, :kept].tolist(),
        "corner": record.box[number, :kept, :2].tolist(),
        "histogram": np.add.reduceat(record.histogram[number], starts).tolist(),
        "classes": [[c, rounded(m)] for c, m in top_classes(record.mean_peak_by_class[number])],
        "related": [
            [names.index(k.layer), k.channel, k.shared]
            for k in related_channels(
                layer.name, number, record.image[number], catalogue.channels_by_image
            )
        ],
    }


def class_data(catalogue: Catalogue) -> Mapping[str, object]:
    """For every class the channels of each layer that prefer it most, with their preference."""
    best = {layer.key: _best(catalogue, layer.name) for layer in catalogue.layers}
    return {"images": catalogue.class_sizes, "best": best}


def _best(catalogue: Catalogue, layer: str) -> list[list[tuple[int, float]]]:
    """By class: [channel, preference], the strongest preference first."""
    score = preference(catalogue.atlas.scan(layer).mean_peak_by_class)
    found: list[list[tuple[int, float]]] = []
    for column in score.T:
        order = np.argsort(-column, kind="stable")[:BEST_CHANNELS]
        found.append([(int(c), rounded(float(column[c]))) for c in order if column[c] > 0])
    return found


def preference(
    mean_peak: Float32[np.ndarray, "channel class"],
) -> Float64[np.ndarray, "channel class"]:
    """(class − rest) / (class + rest) of the mean peaks: 1 where only this class excites it."""
    seen = ~np.isnan(mean_peak).all(axis=0)
    mean = np.clip(np.nan_to_num(mean_peak.astype(np.float64), nan=0.0), 0, None)
    others = max(1, int(seen.sum()) - 1)
    rest = (mean.sum(axis=1, keepdims=True) - mean) / others
    whole = mean + rest
    share: Float64[np.ndarray, "channel class"] = np.zeros(whole.shape)
    np.divide(mean - rest, whole, out=share, where=whole > 0)
    return share
