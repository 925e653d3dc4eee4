"""The tables of the store of projections: the values kept of every entry."""

from collections.abc import Mapping

from pipeline.atlas.runner import picture_tables
from pipeline.network.graph import Graph
from pipeline.project.control import CONTROL_RANKS
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.spill import Table


def projection_tables(graph: Graph, records: Mapping[str, ScanRecord]) -> dict[str, Table]:
    """By layer, of every entry: its projection, its scale and its energy box."""
    shapes = {layer: record.image.shape for layer, record in records.items()}
    numbers = {"scale": ((), "float32"), "energy_box": ((4,), "int16")}
    return picture_tables(graph, shapes, _ranks(records), "projection", "float16", **numbers)


def control_tables(graph: Graph, records: Mapping[str, ScanRecord]) -> dict[str, Table]:
    """By layer, of every entry of the first ranks: its control and the control's scale."""
    shapes = {
        layer: (record.image.shape[0], min(CONTROL_RANKS, record.image.shape[1]))
        for layer, record in records.items()
    }
    numbers = {"control_scale": ((), "float32")}
    return picture_tables(graph, shapes, _ranks(records), "control", "float16", **numbers)


def _ranks(records: Mapping[str, ScanRecord]) -> dict[str, int]:
    return {layer: record.image.shape[1] for layer, record in records.items()}
