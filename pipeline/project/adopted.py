"""Projections of an adopted network, as an atlas shows them, against autograd through its module.

The way down of `Projector` and that of `adopt.oracle` share no code.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.adopt.check import evenly_spaced, network_of
from pipeline.adopt.module_maps import in_double, through_module
from pipeline.adopt.oracle import Backward
from pipeline.adopt.reading import Weights
from pipeline.adopt.trace import UnreadableError
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.network.geometry import seed_of
from pipeline.network.graph import Graph, Layer
from pipeline.network.module import Network
from pipeline.network.ops import Curve
from pipeline.network.receptive_field import receptive_field
from pipeline.params import Method, WantedMethod
from pipeline.project.method import method_of
from pipeline.project.projector import Projector

TOLERANCE = 1e-5
"""Relative, of values and of a projection's norm; both sides compute in double precision."""
CPU = torch.device("cpu")

Image = Float[Tensor, "1 3 _ _"]
Pixels = Float[Tensor, "_ _ 3"]


@dataclass(frozen=True)
class Unit:
    """A unit of a layer, and its value as the module makes it."""

    layer: str
    channel: int
    cell: tuple[int, int]
    value: Float[Tensor, ""]


class Comparison:
    """A module and its graph with weights; `colours` is how many the module takes."""

    def __init__(self, module: nn.Module, graph: Graph, weights: Weights, colours: int) -> None:
        self._module, self._network = module, network_of(graph, weights)
        self._graph, self._colours = graph, colours

    def of_layers(self, layers: Sequence[str], wanted: WantedMethod) -> dict[str, float]:
        """Compare projections of layers, each by the method that it will be shown by.

        Of each method three layers, of each the strongest unit and that in the corner of the map;
        layers that no submodule makes are passed over. Gives the largest difference by layer.

        Raises UnreadableError with the first layer that differs, on two images: on one alone a near
        tie may have let a pool choose another cell.
        """
        by_method = defaultdict(list)
        for layer in layers:
            by_method[method_of(self._graph, layer, wanted)].append(layer)
        compared: dict[str, float] = {}
        for method, some in by_method.items():
            found = self._differences(some, method, seed=0)
            if differing := [layer for layer, error in found.items() if not error <= TOLERANCE]:
                found |= self._differences(differing, method, seed=1)
            for layer, error in found.items():
                if not error <= TOLERANCE:
                    raise UnreadableError(
                        f"Projections of {layer} ({method}) as an atlas shows them and through the "
                        f"network itself differ by {error:.1e} of their norm."
                    )
            compared |= found
        return compared

    def _differences(self, layers: Sequence[str], method: Method, seed: int) -> dict[str, float]:
        rng = torch.Generator().manual_seed(seed)
        image = torch.randn(1, *self._graph.input, generator=rng).double()
        pixels = image.clone().requires_grad_()
        found: dict[str, float] = {}
        for unit in self._units(pixels, layers, method):
            with through_module():
                (below,) = torch.autograd.grad(unit.value, pixels, retain_graph=True)
            expected = below[0].permute(1, 2, 0)
            shown = projected(self._network, image, unit, method)
            error = float((shown - expected).norm() / expected.norm().clamp(min=1e-300))
            found[unit.layer] = max(found.get(unit.layer, 0.0), error)
        return found

    def _units(self, image: Image, layers: Sequence[str], method: Method) -> Iterator[Unit]:
        """The units to compare, whose values' gradients are their projections by the module."""
        wanted = [self._graph.layer(layer) for layer in layers]
        ends = {end for layer in wanted for end in (layer.node, seed_of(self._graph, layer.name))}
        with torch.no_grad():
            ours = self._network.run(image, sorted(ends))
        theirs = self._made(
            {path for la in wanted for path in _paths(self._graph, la)}, image, method
        )
        maps = {layer.name: _made_by_both(self._graph, layer, ours, theirs) for layer in wanted}
        for layer in evenly_spaced([layer for layer, values in maps.items() if values is not None]):
            values = maps[layer]
            assert values is not None
            yield from _picked(layer, values)

    def _made(self, paths: Collection[str], image: Image, method: Method) -> list[Tensor]:
        """What the submodules at some paths make of an image, call by call."""
        made: list[Tensor] = []

        def note(_module: nn.Module, _inputs: object, output: object) -> None:
            if isinstance(output, Tensor):
                made.append(output * 1)  # what is changed in place later is another tensor

        module = in_double(self._module)
        for path, part in module.named_modules():
            if path in paths:
                part.register_forward_hook(note)
        given = image.mean(1, keepdim=True) if self._colours == 1 else image * 1
        with Backward(method):
            module(given)
        return made


def _paths(graph: Graph, layer: Layer) -> set[str]:
    """Of the submodules that may make a layer: its own, its norm's, its curve's, its block's."""
    return {layer.name, *(graph.nodes[at].path for at in range(layer.source, layer.node + 1))}


def _made_by_both(
    graph: Graph, layer: Layer, ours: Mapping[int, Tensor], theirs: Sequence[Tensor]
) -> Float[Tensor, "channel row col"] | None:
    """The map of a layer that a submodule made, before its curve or after its ReLU; None for none.

    Above an active ReLU a signal is what it is below.
    """
    seed = seed_of(graph, layer.name)
    curve = graph.nodes[layer.node].op
    after = [layer.node] if isinstance(curve, Curve) and curve.kind == "relu" else []
    for end in (seed, *after):
        wanted = ours[end][0]
        for made in theirs:
            if made.numel() == wanted.numel():
                values = made.reshape(wanted.shape)
                if (values - wanted).abs().max() <= TOLERANCE * wanted.abs().max():
                    return values
    return None


def _picked(layer: str, values: Float[Tensor, "channel row col"]) -> Iterator[Unit]:
    channels, _, cols = values.shape
    flat = values.reshape(channels, -1)
    strongest = divmod(int(flat.argmax()), flat.shape[1])
    for channel, at in dict.fromkeys([strongest, (int(flat[:, 0].argmax()), 0)]):
        if flat[channel, at] > 0:
            yield Unit(layer, channel, divmod(at, cols), flat[channel, at])


def projected(network: Network, image: Image, unit: Unit, method: Method) -> Pixels:
    """A unit's projection by `Projector` from a signal of 1, put into its place in the image."""
    projector = Projector(network, {unit.layer: method}, 1, finite=False)
    row, cell = np.zeros(1, np.int64), np.array([unit.cell], np.int32)
    found = LayerEntries(
        row + unit.channel, row, row.astype(np.int32), cell, np.ones(1, np.float32)
    )
    maps = projector.whole_images({unit.layer: found}, {0: image})
    pixels = projector.signal(unit.layer, found, row, {0: image}, maps, CPU)[0]
    box = receptive_field(network.graph, unit.layer).boxes(cell)[0].tolist()
    return _in_place(pixels, (box[0], box[1]), image.shape[2:])


def _in_place(pixels: Pixels, first: tuple[int, int], size: Sequence[int]) -> Pixels:
    """The part of a box inside an image of so many rows and columns, 0 around it."""
    whole = pixels.new_zeros(*size, 3)
    top, left = (max(0, -at) for at in first)
    row, col = (max(0, at) for at in first)
    part = pixels[top:, left:][: size[0] - row, : size[1] - col]
    whole[row : row + part.shape[0], col : col + part.shape[1]] = part
    return whole
