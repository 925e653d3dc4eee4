"""The check of a graph against its module: values and projections of both, compared."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.adopt.module_maps import OUTPUT, double_maps, through_module
from pipeline.adopt.oracle import Backward
from pipeline.adopt.reading import Weights
from pipeline.adopt.trace import UnreadableError
from pipeline.network.graph import Graph
from pipeline.network.module import Network
from pipeline.network.ops import Conv, Curve, Linear, Mul
from pipeline.params import Method

TOLERANCE = 1e-6
"""Relative to the largest value; both sides compute in double precision."""
PROJECTED_LAYERS = 3
"""Layers of which projections are compared."""

Map = Float[Tensor, "1 _ _"]
"""One image, its channels, all their cells in a row."""


@dataclass(frozen=True)
class Agreement:
    """The largest differences that a check found, relative to the largest value."""

    values: float
    projections: float
    layers: tuple[str, ...]
    """Layers of which projections were compared; the output where no submodule makes one alone."""


def check(module: nn.Module, graph: Graph, weights: Weights) -> Agreement:
    """Compare a module with its graph on an image of noise.

    Raises UnreadableError with the first layer that differs.
    """
    sources = comparable(module, graph)
    image = torch.randn(1, *graph.input, generator=torch.Generator().manual_seed(0)).double()
    picked = evenly_spaced(list(sources)) or [OUTPUT]
    method = method_to_check(graph)
    # One after the other, so that only one network is in memory in double precision.
    with through_module():
        theirs = _run(method, image, lambda x: double_maps(module, sources, x), picked, {})
    network, end = network_of(graph, weights), theirs.maps[OUTPUT]
    ours = _run(
        method, image, lambda x: _graph_maps(network, sources, x, end), picked, theirs.units
    )
    values = [_value_difference(layer, theirs, ours) for layer in [*sources, OUTPUT]]
    projections = [_projection_difference(layer, theirs, ours) for layer in picked]
    return Agreement(max(values), max(projections), tuple(picked))


def comparable(module: nn.Module, graph: Graph) -> dict[str, int]:
    """Nodes of the convolutions and linear layers that one call of one submodule makes, by path."""
    paths = Counter(node.path for node in graph.nodes if isinstance(node.op, Conv | Linear))
    made = {path: type(part) for path, part in module.named_modules()}
    return {
        layer.name: layer.source
        for layer in graph.layer_list
        if paths[layer.name] == 1
        and made.get(layer.name) in (nn.Conv2d, nn.Linear)
        and not getattr(graph.nodes[layer.source].op, "per_cell", False)
    }


def network_of(graph: Graph, weights: Weights) -> Network:
    """A graph with its weights, in double precision."""
    network = Network(graph).double()
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def _graph_maps(
    network: Network,
    sources: Mapping[str, int],
    image: Float[Tensor, "1 channel row col"],
    end: Map,
) -> dict[str, Tensor]:
    """What the graph makes of an image; the output after the curve that a module's `end` has."""
    nodes = {**sources, OUTPUT: network.graph.output}
    found = network.run(image, list(nodes.values()))
    maps = {layer: found[node] for layer, node in nodes.items()}
    output = maps[OUTPUT]
    ends = (output, output.softmax(1), output.log_softmax(1), output.sigmoid())
    return maps | {OUTPUT: min(ends, key=lambda made: _relative(_flat(made.detach()), end))}


@dataclass(frozen=True)
class _Pass:
    """The results of a forward pass, and projections of some of its units."""

    maps: Mapping[str, Map]
    units: Mapping[str, tuple[int, ...]]
    """By layer, the strongest unit and the first channel's first one, in a corner."""
    projections: Mapping[str, list[Tensor]]
    """Of those units."""


def _run(
    method: Method,
    image: Float[Tensor, "1 channel row col"],
    forward: Callable[[Tensor], Mapping[str, Tensor]],
    picked: Sequence[str],
    units: Mapping[str, tuple[int, ...]],
) -> _Pass:
    """A forward pass and its projections; `units` are those of another pass, where there is one."""
    given = image.clone().requires_grad_()
    with Backward(method):
        maps = forward(given * 1)  # not a leaf, so that what works in place may change it
    flat = {layer: _flat(made) for layer, made in maps.items()}
    taken = units or {layer: (int(flat[layer].detach().abs().argmax()), 0) for layer in picked}
    projections = {
        layer: [
            torch.autograd.grad(flat[layer].flatten()[unit], given, retain_graph=True)[0]
            for unit in taken[layer]
            if unit < flat[layer].numel()
        ]
        for layer in picked
    }
    return _Pass({layer: made.detach() for layer, made in flat.items()}, taken, projections)


def _flat(made: Tensor) -> Map:
    """A map with its cells in a row; `squeeze()` takes the axis of images from a vector."""
    return made.reshape(1, -1, 1) if made.ndim < 2 else made.reshape(1, made.shape[1], -1)


def _value_difference(layer: str, theirs: _Pass, ours: _Pass) -> float:
    expected, found = theirs.maps[layer], ours.maps[layer]
    difference = _relative(found, expected)
    if not difference <= TOLERANCE:
        raise UnreadableError(
            f"The graph and the network differ at {layer} by {difference:.1e} of the largest value."
        )
    return difference


def _projection_difference(layer: str, theirs: _Pass, ours: _Pass) -> float:
    pairs = zip(ours.projections[layer], theirs.projections[layer], strict=True)
    difference = max(_relative(found, expected) for found, expected in pairs)
    if not difference <= TOLERANCE:
        raise UnreadableError(
            f"Projections of {layer} through the graph and through the network differ by "
            f"{difference:.1e} of the largest value."
        )
    return difference


def _relative(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        return torch.inf
    largest = expected.abs().max().clamp(min=torch.finfo(expected.dtype).tiny)
    return float((found - expected).abs().max() / largest)


def method_to_check(graph: Graph) -> Method:
    """The deconvnet where every activation function is a ReLU, gates aside; else guided."""
    gating: set[int] = set()
    for position in reversed(range(len(graph.nodes))):
        users = graph.users[position]
        if users and all(_gates(graph, position, user, gating) for user in users):
            gating.add(position)
    free = [node.op for at, node in enumerate(graph.nodes) if at not in gating]
    curves = [op for op in free if isinstance(op, Curve)]
    return "deconvnet" if all(curve.rectifies for curve in curves) else "guided"


def _gates(graph: Graph, position: int, user: int, gating: set[int]) -> bool:
    """Whether a node goes into a product as its gate, or into such gates alone."""
    node = graph.nodes[user]
    return user in gating or (isinstance(node.op, Mul) and position != node.inputs[0])


def evenly_spaced(layers: Sequence[str]) -> list[str]:
    """The first, the last, and some between."""
    if len(layers) <= PROJECTED_LAYERS:
        return list(layers)
    step = (len(layers) - 1) / (PROJECTED_LAYERS - 1)
    return [layers[round(step * place)] for place in range(PROJECTED_LAYERS)]
