"""Maps of whole images, a pass per image: where an entry's channel fires, a byte per cell, and what
the layer before sees of its patch.

They are computed again, not kept by the scan: there the maps of nine images per channel would
travel with every partial result, 90 times what travels now for ZFNet. No more images run forward
than the scan has run.
"""

from collections.abc import Collection, Iterator, Mapping

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.compute.device import configure_matmul
from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.network.fold import folded
from pipeline.network.graph import Graph
from pipeline.network.model import Model
from pipeline.network.overflow import is_overflow_safe
from pipeline.network.plan import planned
from pipeline.project.layer_maps import LayerMaps, layer_maps
from pipeline.project.worker import ProjectConfig, ProjectTask, load_input
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.spill import Table, Values

Maps = Float[Tensor, "channel row col"]
"""A node's output for one image."""


class MapFinder:
    """The forward pass of one image at a time, up to the last node that is asked for."""

    def __init__(self, model: Model, nodes: Collection[int], device: torch.device) -> None:
        finite = is_overflow_safe(model, nodes)
        network = folded(model.network.to(device)).to(memory_format=torch.channels_last)
        self._steps = planned(network, nodes, finite=finite)

    @torch.inference_mode()
    def __call__(
        self, image: Float[Tensor, "1 3 row col"], nodes: Collection[int]
    ) -> Iterator[tuple[int, Maps]]:
        """Some of the nodes with their outputs, in order. A later step may overwrite these: what is
        read of one is copied before the next is asked for."""
        steps = [step for step in self._steps if step.node <= max(nodes)]
        last = {node: step.node for step in steps for node in step.inputs}
        held = {0: image.to(memory_format=torch.channels_last)}
        if 0 in nodes:
            yield 0, held[0][0]
        for step in steps:
            held[step.node] = step.run([held[node] for node in step.inputs])
            if step.node in nodes:
                yield step.node, held[step.node][0]
            for node in set(step.inputs):
                if last[node] == step.node:
                    del held[node]


def map_tables(graph: Graph, records: Mapping[str, ScanRecord]) -> dict[str, Table]:
    """By layer, of every entry its map and the two ends of its range, of every channel how alike
    its patches are."""
    return {layer: layer_maps(graph, layer).table(record) for layer, record in records.items()}


def map_chunk(task: ProjectTask, device: torch.device) -> dict[str, Values]:
    """What is kept of the maps for a chunk's entries, by layer. Each image is read and run once.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    configure_matmul(device, tf32=False)
    model, finder, layers = load_finder(task.config, device)
    found = {layer: layers[layer].empty(len(entries)) for layer, entries in task.chunk.items()}
    for row in task.images:
        held = {layer: np.nonzero(e.image == row)[0] for layer, e in task.chunk.items()}
        held = {layer: places for layer, places in held.items() if len(places)}
        wanted = {node for layer in held for node in layers[layer].nodes}
        for node, maps in finder(load_input(model, task, row, device), wanted):
            for layer, places in held.items():
                layers[layer].keep(found[layer], places, task.chunk[layer], node, maps)
    return {
        layer: Values(entries.channel, entries.rank, found[layer])
        for layer, entries in task.chunk.items()
    }


@cached_per_process
def load_finder(
    config: ProjectConfig, device: torch.device
) -> tuple[Model, MapFinder, dict[str, LayerMaps]]:
    """The model on a device; a process reads it once."""
    model = load_pinned_model(config.model, config.model_sha256)
    layers = {layer: layer_maps(model.graph, layer) for layer in config.layers}
    nodes = {node for one in layers.values() for node in one.nodes}
    return model, MapFinder(model, nodes, device), layers
