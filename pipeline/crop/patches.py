"""The patches that the store of crops keeps: of the entries, and of the examples."""

from pipeline.atlas import Run
from pipeline.crop.worker import CropConfig, crop_chunk
from pipeline.entries.layer_entries import LayerEntries, entries_of, examples_of
from pipeline.entries.pictures import Pictures
from pipeline.entries.runner import picture_tables


def patches_of(run: Run) -> tuple[Pictures, ...]:
    """What is cut out for a run; examples where its scan has them."""
    entries = {layer: entries_of(record) for layer, record in run.records.items()}
    shapes = {layer: record.image.shape for layer, record in run.records.items()}
    examples = {layer: record.examples for layer, record in run.records.items() if record.examples}
    listed = {layer: examples_of(found) for layer, found in examples.items()}
    places = {layer: found.example_image.shape for layer, found in examples.items()}
    return (
        _patches(run, "crop", entries, shapes),
        *([_patches(run, "example_crop", listed, places)] if listed else []),
    )


def _patches(
    run: Run,
    array: str,
    entries: dict[str, LayerEntries],
    shapes: dict[str, tuple[int, int]],
) -> Pictures:
    fields = {layer: run.field(layer) for layer in entries}
    config = CropConfig(run.image_store, run.card.framing, fields, array)
    tables = picture_tables(run.graph, shapes, array, "uint8")
    return Pictures(array, crop_chunk, config, entries, tables)
