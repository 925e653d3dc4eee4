"""The layers that the figures look at, of any network that ends in class scores."""

from pipeline.network.graph import Graph, Layer


def scores_classes(graph: Graph, classes: int) -> bool:
    """Whether the network's output is one score for each of two or more classes."""
    return classes > 1 and graph.nodes[graph.output].shape == (classes, 1, 1)


def hidden(graph: Graph) -> tuple[Layer, ...]:
    """The layers that all paths pass, but for the last, which gives the scores."""
    last = graph.layer_list[-1:]
    return tuple(layer for layer in graph.layer_list if layer.cut and layer not in last)


def last_map(graph: Graph) -> Layer | None:
    """The last hidden layer whose map has more than one cell: conv5 of the paper's networks.

    None in a network of fully connected layers alone.
    """
    maps = [layer for layer in hidden(graph) if layer.size != (1, 1)]
    return maps[-1] if maps else None
