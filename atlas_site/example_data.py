"""The examples beyond the strongest as the channel view reads them: weaker images, silent ones."""

from collections.abc import Mapping

from atlas_site.catalogue import Catalogue
from atlas_site.layers import LayerView
from atlas_site.script import significant
from atlas_site.sprites import example_grid, example_path


def example_facts(layer: LayerView) -> Mapping[str, object] | None:
    """Where the pictures of a layer's examples are; None for a layer without."""
    if not layer.bands:
        return None
    grid = example_grid(len(layer.bands))
    return {
        "bands": layer.bands,
        "columns": grid.columns,
        "rows": grid.rows,
        "corners": [grid.corner(place) for place in range(grid.places)],
        "px": layer.tile.example,
        "src": example_path(layer.key, "{}"),
    }


def example_data(catalogue: Catalogue, layer: LayerView) -> Mapping[str, object]:
    """A layer's examples: by channel and place [position among the images, peak], −1 if missing.

    The images are listed apart from them, since few of them are among the strongest of some
    channel in a large validation set.
    """
    examples = catalogue.atlas.scan(layer.name).examples
    assert examples is not None
    rows = sorted({row for row in examples.example_image.ravel().tolist() if row >= 0})
    position = {row: place for place, row in enumerate(rows)} | {-1: -1}
    images, number = catalogue.atlas.images, catalogue.class_number
    return {
        "row": rows,
        "path": [images[row].path for row in rows],
        "label": [number.get(images[row].label, -1) for row in rows],
        "channels": [
            [[position[row], significant(peak)] for row, peak in zip(held, peaks, strict=True)]
            for held, peaks in zip(
                examples.example_image.tolist(), examples.example_activation.tolist(), strict=True
            )
        ],
    }
