"""The method of projection that fits a layer, and what it needs of the forward pass."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import AtlasError
from pipeline.network.geometry import seed_of, windows
from pipeline.network.graph import Graph
from pipeline.network.ops import ChannelNorm, Curve, MapNorm, MaxPool, Mul
from pipeline.params import Method, WantedMethod


@dataclass(frozen=True)
class Choice:
    """The method for a layer."""

    method: Method
    why: str
    """Half a sentence for the pages."""


def choice_of(graph: Graph, layer: str, wanted: WantedMethod) -> Choice:
    """The method for a layer.

    `auto` takes the deconvnet where a max pool lies below and every activation function there is a
    ReLU. Without a pool nothing ties a deconvnet to the image: all of a channel's projections would
    be one picture. Where no function lies below, all methods are one. What a deconvnet does at
    another function nobody has defined.

    Raises AtlasError for a deconvnet through such a function.
    """
    ops = [graph.nodes[at].op for at in windows(graph, seed_of(graph, layer))]
    strange = ", ".join(
        sorted({op.kind for op in ops if isinstance(op, Curve) and not op.rectifies})
    )
    if wanted == "deconvnet" and strange:
        raise AtlasError(
            f"A deconvnet cannot pass the {strange} below {layer}.",
            fix="Set project.method to auto, guided or gradient.",
        )
    if wanted != "auto":
        return Choice(wanted, f"project.method says {wanted}")
    if not any(isinstance(op, Curve) for op in ops):
        return Choice("deconvnet", "no activation function is below, so that all methods are one")
    if strange:
        return Choice("guided", f"{strange} is below, for which a deconvnet is not defined")
    if not any(isinstance(op, MaxPool) for op in ops):
        return Choice("guided", "no max pool is below, so that a deconvnet would ignore the image")
    return Choice("deconvnet", "a max pool is below, and every activation function there is a ReLU")


def method_of(graph: Graph, layer: str, wanted: WantedMethod) -> Method:
    """The method for a layer, as `choice_of` has it."""
    return choice_of(graph, layer, wanted).method


def recorded(graph: Graph, layer: str, method: Method) -> tuple[int, ...]:
    """The nodes of which a layer's way down needs something that only the forward pass knows."""
    return tuple(sorted(_recorded(graph, layer, method)))


def _recorded(graph: Graph, layer: str, method: Method) -> Iterator[int]:
    for at in windows(graph, seed_of(graph, layer)):
        op = graph.nodes[at].op
        if isinstance(op, MaxPool | Mul | ChannelNorm | MapNorm) or (
            isinstance(op, Curve) and method != "deconvnet"
        ):
            yield at
