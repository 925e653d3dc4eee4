"""An adopted network: built, read, checked, and ready to be written down without its code."""

import inspect
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from torch import nn

from pipeline.adopt.build import Built
from pipeline.adopt.check import Agreement, check
from pipeline.adopt.read import read
from pipeline.adopt.reading import Weights
from pipeline.adopt.spec import Spec
from pipeline.adopt.trace import UnreadableError
from pipeline.errors import AtlasError
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Conv
from pipeline.network.readable import check_readable
from pipeline.network.weights_file import check_values
from pipeline.storage.hashing import sha256_of


@dataclass(frozen=True)
class Adopted:
    """A network as data."""

    graph: Graph
    """For colour images, whatever the module takes."""
    weights: Weights
    """In double precision where they were computed from others."""
    agreement: Agreement
    """With the module, as it was checked."""
    versions: Mapping[str, str]
    """Of torch and of the packages that the module's parts come from."""
    sources: Mapping[str, str]
    """sha256 of the source files of those parts, by the name of the Python module."""


def adopt_module(built: Built, crop: int, colours: int) -> Adopted:
    """Read a module for one size of input and check the result against it.

    `colours` is 3, or 1 for a network that sees grey. Raises UnreadableError where the module
    cannot be read, or the graph does not say what the module does.
    """
    graph, weights = read(built.module, (colours, crop, crop))
    check_values(weights, "The module", fix="Give it weights of finite real numbers.")
    agreement = check(built.module, graph, weights)
    if colours == 1:
        graph, weights = _seeing_colour(graph, weights)
    files = _source_files(built.module)
    return Adopted(
        graph=graph,
        weights=weights,
        agreement=agreement,
        versions=_versions(files),
        sources={name: sha256_of(path) for name, path in sorted(files.items())},
    )


def scores(graph: Graph) -> int:
    """How many classes a network scores; 0 where its output is a map."""
    channels, *size = graph.nodes[graph.output].shape
    return channels if size == [1, 1] else 0


def _seeing_colour(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """The network for inputs of three colours, of whose mean the first convolutions see."""
    _, rows, cols = graph.input
    nodes, widened = [replace(graph.nodes[0], shape=(3, rows, cols))], dict(weights)
    for node in graph.nodes[1:]:
        if 0 in node.inputs:
            widened |= _widened(node, weights)
        nodes.append(node)
    return Graph(tuple(nodes), graph.output), widened


def _widened(node: Node, weights: Weights) -> Weights:
    if not isinstance(node.op, Conv):
        raise UnreadableError(
            f"{node.path} changes the grey input before a convolution sees it.",
            fix="Normalise in the preprocessing (--grey MEAN STD) instead of in the network.",
        )
    return {node.op.weight: weights[node.op.weight].repeat(1, 3, 1, 1) / 3}


def _source_files(module: nn.Module) -> dict[str, Path]:
    """The files that define a module's parts, torch's own aside, by Python module."""
    kinds = {type(part) for part in module.modules()}
    files = {}
    for kind in kinds:
        if kind.__module__.partition(".")[0] != "torch" and (path := inspect.getsourcefile(kind)):
            files[kind.__module__] = Path(path)
    return files


def _versions(files: Mapping[str, Path]) -> dict[str, str]:
    packages = defaultdict(list, metadata.packages_distributions())
    roots = {"torch", *(name.partition(".")[0] for name in files)}
    names = {name for root in roots for name in packages[root][:1]}
    return {name: metadata.version(name) for name in sorted(names)}


def check_file(spec: Spec, expected: str | None) -> None:
    """Raise AtlasError where a spec's weights file is not the one that was adopted."""
    if spec.file is None or expected is None:
        return
    check_readable(spec.file, fix=f"Restore it, or run `atlas adopt {spec.arch}` again.")
    if sha256_of(spec.file) != expected:
        raise AtlasError(
            f"{spec.file} is not the file that params.yaml names: its sha256 differs.",
            fix=f"Run `atlas adopt {spec.arch}` again, or restore the file.",
        )
