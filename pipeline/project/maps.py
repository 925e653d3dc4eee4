"""Activation maps: where in its whole image the channel of an entry fires, a byte per cell.

They are computed again, not kept by the scan: there the maps of nine images per channel would
travel with every partial result, 90 times what travels now for ZFNet. No more images run forward
than the scan has run.
"""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from pipeline.compute.device import configure_matmul
from pipeline.compute.worker_cache import cached_per_process, load_pinned_model
from pipeline.network.fold import folded
from pipeline.network.graph import Graph
from pipeline.network.model import Model
from pipeline.network.overflow import is_overflow_safe
from pipeline.network.plan import planned
from pipeline.project.worker import ProjectConfig, ProjectTask, load_input
from pipeline.storage.spill import Table, Values
from pipeline.storage.stores import ScanRecord

Maps = Mapping[str, Float[Tensor, "_ _ _"]]
"""By layer, the activations of one image (entry, row, col)."""


class MapFinder:
    """The forward pass of one image at a time, up to the last layer that is asked for."""

    def __init__(self, model: Model, layers: tuple[str, ...], device: torch.device) -> None:
        self._nodes = {layer: model.graph.layer(layer).node for layer in layers}
        finite = is_overflow_safe(model, list(self._nodes.values()))
        network = folded(model.network.to(device)).to(memory_format=torch.channels_last)
        self._steps = planned(network, self._nodes.values(), finite=finite)

    @torch.inference_mode()
    def __call__(
        self, image: Float[Tensor, "1 3 row col"], channels: Mapping[str, Int64[Tensor, " entry"]]
    ) -> Maps:
        """The maps of some channels, by layer."""
        wanted = {self._nodes[layer]: layer for layer in channels}
        steps = [step for step in self._steps if step.node <= max(wanted)]
        last = {node: step.node for step in steps for node in step.inputs}
        held, found = {0: image.to(memory_format=torch.channels_last)}, {}
        for step in steps:
            held[step.node] = step.run([held[node] for node in step.inputs])
            if step.node in wanted:  # a copy now: a later step may overwrite its inputs
                layer = wanted[step.node]
                found[layer] = held[step.node][0][channels[layer]]
            for node in set(step.inputs):
                if last[node] == step.node:
                    del held[node]
        return found


def map_tables(graph: Graph, records: Mapping[str, ScanRecord]) -> dict[str, Table]:
    """By layer, what the store keeps of every entry: its map and the two ends of its range."""
    tables = {}
    for layer, record in records.items():
        channels, ranks = record.image.shape
        arrays = {"activation_map": (graph.layer(layer).size, "uint8")}
        tables[layer] = Table(channels, ranks, arrays | {"map_range": ((2,), "float32")})
    return tables


def map_chunk(task: ProjectTask, device: torch.device) -> dict[str, Values]:
    """The activation maps of a chunk's entries, by layer. Each image is read and run once.

    Raises AtlasError for an image that is not what the manifest lists.
    """
    configure_matmul(device, tf32=False)
    model, finder = load_finder(task.config, device)
    size = {layer: model.graph.layer(layer).size for layer in task.chunk}
    found = {
        layer: (
            np.empty((len(entries), *size[layer]), np.uint8),
            np.empty((len(entries), 2), np.float32),
        )
        for layer, entries in task.chunk.items()
    }
    for row in task.images:
        held = {layer: np.nonzero(e.image == row)[0] for layer, e in task.chunk.items()}
        held = {layer: places for layer, places in held.items() if len(places)}
        channels = {
            layer: torch.from_numpy(task.chunk[layer].channel[places]).long().to(device)
            for layer, places in held.items()
        }
        for layer, maps in finder(load_input(model, task, row, device), channels).items():
            levels, ends = quantised(maps.cpu().numpy())
            found[layer][0][held[layer]], found[layer][1][held[layer]] = levels, ends
    return {
        layer: Values(
            entries.channel,
            entries.rank,
            dict(zip(("activation_map", "map_range"), found[layer], strict=True)),
        )
        for layer, entries in task.chunk.items()
    }


def quantised(
    maps: Float32[np.ndarray, "entry row col"],
) -> tuple[UInt8[np.ndarray, "entry row col"], Float32[np.ndarray, "entry 2"]]:
    """Levels 0 to 255 from the least to the largest value of each map, and these two values.

    A value is least + level / 255 × (largest − least), to half a level. A constant map is 0.
    """
    ends = np.stack([maps.min(axis=(1, 2)), maps.max(axis=(1, 2))], axis=1)
    least, extent = ends[:, 0, None, None], (ends[:, 1] - ends[:, 0])[:, None, None]
    share = np.divide(maps - least, extent, out=np.zeros_like(maps), where=extent > 0)
    return np.rint(255 * share).astype(np.uint8), ends


@cached_per_process
def load_finder(config: ProjectConfig, device: torch.device) -> tuple[Model, MapFinder]:
    """The model on a device; a process reads it once."""
    model = load_pinned_model(config.model, config.model_sha256)
    return model, MapFinder(model, config.layers, device)
