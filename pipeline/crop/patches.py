"""The patches that the store of crops keeps: of the entries, and of the examples."""

from pipeline.atlas import Run
from pipeline.atlas.layer_entries import LayerEntries, entries_of, examples_of
from pipeline.atlas.pictures import Pictures
from pipeline.atlas.runner import picture_tables
from pipeline.atlas.stored_size import reduction
from pipeline.crop.worker import CropConfig, crop_chunk


def patches_of(run: Run) -> tuple[Pictures, ...]:
    """What is cut out for a run; examples where its scan has them."""
    entries = {layer: entries_of(record) for layer, record in run.records.items()}
    shapes = {layer: record.image.shape for layer, record in run.records.items()}
    examples = {layer: record.examples for layer, record in run.records.items() if record.examples}
    listed = {layer: examples_of(found) for layer, found in examples.items()}
    places = {layer: found.example_image.shape for layer, found in examples.items()}
    ranks = {layer: shape[1] for layer, shape in shapes.items()}
    return (
        _patches(run, "crop", entries, shapes, ranks),
        *([_patches(run, "example_crop", listed, places, ranks)] if listed else []),
    )


def _patches(
    run: Run,
    array: str,
    entries: dict[str, LayerEntries],
    shapes: dict[str, tuple[int, int]],
    ranks: dict[str, int],
) -> Pictures:
    fields = {layer: run.field(layer) for layer in entries}
    factors = {layer: reduction(run.graph, layer, ranks[layer]) for layer in entries}
    config = CropConfig(run.image_store, run.card.framing, fields, factors, array)
    tables = picture_tables(run.graph, shapes, ranks, array, "uint8")
    return Pictures(array, crop_chunk, config, entries, tables)
