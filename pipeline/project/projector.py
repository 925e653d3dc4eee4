"""Projections of the entries of a chunk, as they are stored."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Float16, Float32, Int64
from torch import Tensor

from pipeline.atlas.chunks import Chunk
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.stored_size import reduced_size
from pipeline.compute.memory import fitted
from pipeline.network.fold import folded
from pipeline.network.module import Network
from pipeline.network.receptive_field import receptive_field
from pipeline.params import Method
from pipeline.project.deconvnet import Deconvnet, Units
from pipeline.project.forward_plan import ForwardPlan, Images
from pipeline.project.stored_signal import reduced_signal
from pipeline.project.switch_maps import SwitchMaps
from pipeline.storage.spill import Values


class Projector:
    """A network's ways down and the forward passes that find their switches.

    A result is a projection, reduced as `reductions` says of its layer, divided by its largest
    magnitude, which is its `scale`; where that is 0, so is the projection. `finite` says that no
    activation can overflow or be NaN.
    """

    def __init__(
        self,
        network: Network,
        methods: Mapping[str, Method],
        batch_size: int,
        *,
        finite: bool,
        reductions: Mapping[str, int] | None = None,
    ) -> None:
        self._factors = {layer: (reductions or {}).get(layer, 1) for layer in methods}
        self._sizes = {layer: receptive_field(network.graph, layer).size for layer in methods}
        network = folded(network)
        self._dtype = next(iter(network.state_dict().values())).dtype
        self.passes = ForwardPlan(network, methods, batch_size, finite=finite)
        self._fitting = batch_size
        self._deconvnets = {
            layer: Deconvnet(network, layer, method) for layer, method in methods.items()
        }

    def __call__(self, chunk: Chunk, images: Images, device: torch.device) -> dict[str, Values]:
        """Project a chunk's entries; `images` are the inputs of those needed."""
        maps = self.whole_images(chunk, images)
        return {
            layer: self.layer(layer, found, images, maps, device) for layer, found in chunk.items()
        }

    @torch.inference_mode()
    def whole_images(self, chunk: Chunk, images: Images) -> dict[int, SwitchMaps]:
        """The switches of the images that run forward whole."""
        whole = self.passes.whole_images(chunk)
        return {row: self.passes.maps(images[row], nodes) for row, nodes in whole.items()}

    @torch.inference_mode()
    def layer(
        self,
        layer: str,
        found: LayerEntries,
        images: Images,
        maps: Mapping[int, SwitchMaps],
        device: torch.device,
    ) -> Values:
        """Project a layer's entries; those of images without `maps` run their windows forward."""
        rows, cols = reduced_size(self._sizes[layer], self._factors[layer])
        pictures = np.empty((len(found), rows, cols, 3), np.float16)
        scales = np.empty(len(found), np.float32)

        def project(batch: Int64[np.ndarray, " entry"], size: int) -> None:
            for first in range(0, len(batch), size):
                part = batch[first : first + size]
                projected = self.signal(layer, found, part, images, maps, device)
                reduced = reduced_signal(projected, self._factors[layer])
                pictures[part], scales[part] = _stored(reduced)

        for batch in self.passes.batches(found, maps):
            _, self._fitting = fitted(partial(project, batch), self._fitting)
        return Values(found.channel, found.rank, {"projection": pictures, "scale": scales})

    @torch.inference_mode()
    def signal(
        self,
        layer: str,
        found: LayerEntries,
        batch: Int64[np.ndarray, " entry"],
        images: Images,
        maps: Mapping[int, SwitchMaps],
        device: torch.device,
    ) -> Float[Tensor, "entry box_row box_col 3"]:
        """The pixels of the boxes of some of a layer's entries, as they come down."""
        switches = self.passes.switches(layer, found, batch, images, maps)
        units = Units(
            torch.from_numpy(found.channel[batch]).to(device),
            torch.from_numpy(found.cell[batch]).long(),
            torch.from_numpy(found.activation[batch]).to(device, self._dtype),
        )
        return self._deconvnets[layer](units, switches)


def _stored(
    picture: Float[Tensor, "entry row col 3"],
) -> tuple[Float16[np.ndarray, "entry row col 3"], Float32[np.ndarray, " entry"]]:
    """Divide each picture by its largest magnitude."""
    scale = picture.abs().amax(dim=(1, 2, 3))
    divisor = torch.where(scale > 0, scale, 1.0)[:, None, None, None]
    return (picture / divisor).half().cpu().numpy(), scale.cpu().numpy()
