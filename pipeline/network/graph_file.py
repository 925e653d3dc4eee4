"""`graph.json`: a graph as data, checked when it is read; nothing in it is executed."""

import dataclasses
import json
from functools import cache
from typing import Any, get_args

from pydantic import TypeAdapter, ValidationError

from pipeline.errors import AtlasError
from pipeline.network.graph import Graph, Node
from pipeline.network.graph_check import graph_fault
from pipeline.network.ops import Op

FORMAT = 1
OPS = {op.__name__: op for op in get_args(Op)}
_adapter = cache(TypeAdapter)
"""The check of records of a kind; making one takes as long as checking hundreds."""


@dataclasses.dataclass(frozen=True)
class _Record:
    op: str
    inputs: tuple[int, ...]
    shape: tuple[int, int, int]
    path: str
    facts: dict[str, Any]


def to_json(graph: Graph) -> str:
    """A graph as text, a node a line."""
    lines = (
        json.dumps(
            {
                "op": type(node.op).__name__,
                "inputs": node.inputs,
                "shape": node.shape,
                "path": node.path,
                "facts": dataclasses.asdict(node.op),
            },
            allow_nan=False,
        )
        for node in graph.nodes
    )
    nodes = ",\n".join(lines)
    return f'{{"format": {FORMAT}, "output": {graph.output}, "nodes": [\n{nodes}\n]}}\n'


def from_json(text: str, name: str = "graph.json") -> Graph:
    """The graph that a text describes. Raises AtlasError for anything that is not one."""
    try:
        return _read(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise AtlasError(
            f"{name} does not describe a network: {_in_words(error)}.",
            fix="Restore the file, or run `dvc repro train`.",
        ) from None


def _in_words(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        return f"{f'`{place}`: ' * bool(place)}{fault['msg']}"
    return str(error).splitlines()[0]


def _read(text: str) -> Graph:
    content = json.loads(text, parse_constant=_refuse)
    if not isinstance(content, dict) or set(content) != {"format", "output", "nodes"}:
        raise ValueError("it does not hold `format`, `output` and `nodes`")
    if content["format"] != FORMAT:
        raise ValueError(f"its format is {content['format']!r}, not {FORMAT}")
    if type(content["output"]) is not int or not isinstance(content["nodes"], list):
        raise ValueError("`output` must be a number and `nodes` a list")
    graph = Graph(tuple(map(_node, content["nodes"])), content["output"])
    if fault := graph_fault(graph):
        raise ValueError(fault)
    return graph


def _node(raw: object) -> Node:
    record = _strict(_Record, raw)
    if record.op not in OPS:
        raise ValueError(f"there is no operation {record.op!r}")
    return Node(_strict(OPS[record.op], record.facts), record.inputs, record.shape, record.path)


def _strict(kind: type, raw: object) -> Any:
    names = {field.name for field in dataclasses.fields(kind)}
    if not isinstance(raw, dict) or not raw.keys() <= names:
        raise ValueError(f"{kind.__name__.strip('_')} has other fields than {sorted(names)}")
    return _adapter(kind).validate_json(json.dumps(raw), strict=True)


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a number of JSON")
