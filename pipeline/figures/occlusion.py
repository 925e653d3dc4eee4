"""Figure 7: how an image's features and class probabilities fall when a square of it is hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
import torch
from jaxtyping import Float, Float32, Int32, Int64, UInt8
from torch import Tensor

from pipeline.figures.incremental import Changed, IncrementalForward
from pipeline.network.module import Network
from pipeline.network.normalisation import Normalisation

BAND = 9
"""Of the square's places along one axis in a batch, at most. They share a pass over the weights of
fully connected layers, and those near an edge have smaller windows than those in the middle."""


@dataclass(frozen=True)
class OcclusionMaps:
    """One image; every map is indexed by the place of the square, row by row."""

    corner_rows: Int64[np.ndarray, " row"]
    """Top edges of the square, in pixels of the input."""
    corner_cols: Int64[np.ndarray, " col"]
    """Left edges."""
    channel: int
    """The channel of the last convolution whose map, summed over its cells, is the largest without
    the square."""
    activation: Float32[np.ndarray, "row col"]
    """That channel's summed map."""
    activation_unchanged: float
    probability: Float32[np.ndarray, "row col"]
    """Of the true class."""
    probability_unchanged: float
    predicted: Int32[np.ndarray, "row col"]
    """The most probable class."""
    predicted_unchanged: int
    cell: tuple[int, int]
    """(row, col) of the channel's peak without the square, on its map; of equal ones the first."""
    peak: float
    """Its activation there."""


def occlude(
    network: Network,
    normalise: Normalisation,
    layer: str,
    pixels: UInt8[np.ndarray, "row col colour"],
    label: int,
    side: int,
    stride: int,
    value: int,
) -> OcclusionMaps:
    """Slide a square of one grey value over a network input, from edge to edge, by `stride`.

    `layer` is the convolution whose strongest channel is followed.
    """
    graph = network.graph
    on = next(iter(network.state_dict().values())).device
    image = normalise(torch.from_numpy(pixels.copy()).to(on).permute(2, 0, 1)[None])
    grey = normalise(torch.full(image.shape, value, dtype=torch.uint8, device=on))
    node = graph.layer(layer).node
    forward = IncrementalForward(network, image, [node, graph.output])
    sums = forward.unchanged(node).sum(dim=(1, 2))
    channel = int(sums.argmax())
    rows, cols = (np.arange(0, size - side + 1, stride) for size in image.shape[2:])
    shape = len(rows), len(cols)
    plain = forward.unchanged(graph.output).flatten().softmax(dim=0)
    peak, place = forward.unchanged(node)[channel].flatten().max(dim=0)
    activation = torch.empty(shape)
    probabilities = torch.empty(*shape, len(plain))
    for down, across in product(_bands(shape[0]), _bands(shape[1])):
        corner = torch.cartesian_prod(torch.from_numpy(rows[down]), torch.from_numpy(cols[across]))
        changed = forward(corner, _patches(grey[0], corner, side))
        summed = _summed(forward, node, channel, changed[node])
        scores = forward.whole(graph.output, changed[graph.output]).flatten(1)
        activation[down, across] = summed.view(activation[down, across].shape).cpu()
        found = probabilities[down, across]
        found[...] = scores.softmax(dim=1).view(found.shape).cpu()
    return OcclusionMaps(
        corner_rows=rows,
        corner_cols=cols,
        channel=channel,
        activation=activation.numpy(),
        activation_unchanged=float(sums[channel]),
        probability=probabilities[..., label].numpy(),
        probability_unchanged=float(plain[label]),
        predicted=probabilities.argmax(dim=2).int().numpy(),
        predicted_unchanged=int(plain.argmax()),
        cell=divmod(int(place), graph.nodes[node].shape[2]),
        peak=float(peak),
    )


def _bands(places: int) -> list[slice]:
    """Places along one axis in bands of about one size."""
    edges = np.linspace(0, places, -(-places // BAND) + 1).astype(int).tolist()
    return [slice(first, stop) for first, stop in pairwise(edges)]


def _patches(
    grey: Float[Tensor, "colour row col"], corner: Int64[Tensor, "place 2"], side: int
) -> Float[Tensor, "place colour side side"]:
    """The square as normalised pixels: they differ by place where the mean differs by pixel."""

    def cut() -> Iterator[Tensor]:
        for row, col in corner.tolist():
            yield grey[:, row : row + side, col : col + side]

    return torch.stack(list(cut()))


def _summed(
    forward: IncrementalForward, node: int, channel: int, changed: Changed
) -> Float[Tensor, " place"]:
    """A channel's map summed over all its cells, place by place."""
    return forward.whole(node, changed)[:, channel].sum(dim=(1, 2))
