"""A choice of a network's layers: by a word, by name or by pattern."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from pipeline.errors import AtlasError
from pipeline.network.graph import Graph, Layer
from pipeline.network.ops import Conv

WORDS = ("default", "cuts", "all")


def selected(graph: Graph, wanted: Sequence[str]) -> tuple[Layer, ...]:
    """The layers named, in the network's order.

    `default` is the first convolution and, of each map size, the last layer that all paths pass, a
    rectified one if there is; `cuts` are all that all paths pass; `all` is every layer; anything
    else is a name or a pattern such as `layer4.*`. Raises AtlasError for one that fits none,
    and for a network without layers.
    """
    if not graph.layers:
        raise AtlasError(
            "The network has no layers.",
            fix="Take one with a convolution, a linear layer, a sum or a concatenation.",
        )
    names: set[str] = set()
    for word in wanted:
        found = _matching(graph, word)
        if not found:
            raise AtlasError(
                f"The network has no layer {word!r}; it has {', '.join(graph.layers)}.",
                fix="Name layers, patterns such as 'layer4.*', or one of default, cuts, all.",
            )
        names |= {layer.name for layer in found}
    return tuple(layer for layer in graph.layer_list if layer.name in names)


def _matching(graph: Graph, word: str) -> list[Layer]:
    if word == "all":
        return list(graph.layer_list)
    if word == "cuts":
        return [layer for layer in graph.layer_list if layer.cut]
    if word == "default":
        return _default(graph)
    return [layer for layer in graph.layer_list if fnmatchcase(layer.name, word)]


def _default(graph: Graph) -> list[Layer]:
    convs = [la for la in graph.layer_list if isinstance(graph.nodes[la.source].op, Conv)]
    cuts = [layer for layer in graph.layer_list if layer.cut]
    maps = [layer for layer in cuts if layer.size != (1, 1)] or cuts
    chosen = convs[:1]
    for size in dict.fromkeys(layer.size for layer in maps):
        same = [layer for layer in maps if layer.size == size]
        chosen.append([*same, *(layer for layer in same if layer.rectified)][-1])
    return chosen
