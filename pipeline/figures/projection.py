"""The projection of one unit of one image, at its place in the image."""

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from pipeline.network.fold import folded
from pipeline.network.geometry import seed_of, windows
from pipeline.network.module import Network
from pipeline.network.receptive_field import receptive_field
from pipeline.network.window import Pair
from pipeline.params import Method
from pipeline.project.deconvnet import Deconvnet, Units
from pipeline.project.method import recorded
from pipeline.project.switch_maps import cut_windows
from pipeline.project.switches import SwitchFinder


@torch.inference_mode()
def project_unit(
    network: Network,
    image: Float[Tensor, "1 colour row col"],
    layer: str,
    channel: int,
    cell: Pair,
    activation: float,
    method: Method,
) -> Float32[np.ndarray, "row col colour"]:
    """One unit's projection as `project` makes it, on the whole input; 0 outside its box.

    Not for a network that can give NaN or overflow.
    """
    network = folded(network)
    graph = network.graph
    nodes, cells = recorded(graph, layer, method), torch.tensor([cell])
    maps = SwitchFinder(network, finite=True).maps(image, nodes)
    units = Units(
        torch.tensor([channel], device=image.device),
        cells,
        torch.tensor([activation], device=image.device),
    )
    below = windows(graph, seed_of(graph, layer))
    switches = cut_windows(below, [maps], cells, nodes)
    picture = Deconvnet(network, layer, method)(units, switches)[0].cpu().numpy()
    return _placed(picture, box_of(network, layer, cell), (image.shape[2], image.shape[3]))


def box_of(network: Network, layer: str, cell: Pair) -> tuple[int, int, int, int]:
    """The receptive field of a unit: (top, left, bottom, right), not clipped."""
    boxes = receptive_field(network.graph, layer).boxes(np.array([cell], np.int32))
    top, left, bottom, right = boxes[0].tolist()
    return top, left, bottom, right


def _placed(
    picture: Float32[np.ndarray, "_ _ colour"], box: tuple[int, int, int, int], size: Pair
) -> Float32[np.ndarray, "row col colour"]:
    whole = np.zeros((*size, picture.shape[2]), np.float32)
    top, left, bottom, right = box
    rows, cols = slice(max(0, top), min(size[0], bottom)), slice(max(0, left), min(size[1], right))
    whole[rows, cols] = picture[
        rows.start - top : rows.stop - top, cols.start - left : cols.stop - left
    ]
    return whole
