"""Which way of projecting fits a layer, and what it needs of the forward pass."""

from collections.abc import Iterator
from typing import Literal

from pipeline.errors import AtlasError
from pipeline.network.geometry import seed_of, windows
from pipeline.network.graph import Graph
from pipeline.network.ops import ChannelNorm, Curve, MapNorm, MaxPool, Mul

Method = Literal["deconvnet", "guided", "gradient"]


def method_of(graph: Graph, layer: str, wanted: Literal["auto"] | Method) -> Method:
    """The method for a layer.

    `auto` takes the deconvnet where a max pool lies below and every activation function there is a
    ReLU. Without a pool nothing ties a deconvnet to the image: all of a channel's projections would
    be one picture. Where no function lies below, all methods are one. What a deconvnet does at
    another function nobody has defined.

    Raises AtlasError for a deconvnet through such a function.
    """
    ops = [graph.nodes[at].op for at in windows(graph, seed_of(graph, layer))]
    strange = sorted({op.kind for op in ops if isinstance(op, Curve) and not op.rectifies})
    if wanted == "deconvnet" and strange:
        raise AtlasError(
            f"A deconvnet cannot pass the {', '.join(strange)} below {layer}.",
            fix="Set project.method to auto, guided or gradient.",
        )
    if wanted != "auto":
        return wanted
    pools = any(isinstance(op, MaxPool) for op in ops)
    bends = any(isinstance(op, Curve) for op in ops)
    return "deconvnet" if (pools and not strange) or not bends else "guided"


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
