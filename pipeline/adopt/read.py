"""A module of torch read into a graph: every call becomes nodes, or is refused by name."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.patterns import simplified
from pipeline.adopt.reading import Constant, Reading, Value, Weights, plain
from pipeline.adopt.rules import curves, joins, layers, moves, norms, pools
from pipeline.adopt.rules.registry import RULES
from pipeline.adopt.trace import Call, Ref, Trace, UnreadableError, refs, trace
from pipeline.network.graph import Graph, Node
from pipeline.network.graph_check import graph_fault
from pipeline.network.ops import Input, Shape

KINDS = (curves, joins, layers, moves, norms, pools)
"""Modules that register their rules when they are imported."""
TELLING = ("scaled_dot_product_attention", "softmax.int", "matmul", "bmm")
"""Operations that say best why a network is refused: it has attention."""
LONGEST_NAME = 200
"""Bytes of a layer's name. Folders and files are named after it; file systems allow 255 bytes, of
which what is added to it takes some."""


def read(module: nn.Module, shape: Shape) -> tuple[Graph, Weights]:
    """The graph of a module for one size of input, and its weights by name.

    Weights keep their names in the module's state dict; those computed from others get new ones,
    and are in double precision.
    Raises UnreadableError naming the first operation that cannot be read, and where it is, or a
    layer whose name is too long.
    """
    traced = simplified(trace(module, shape))
    reading = Reading()
    values: dict[str, Value] = {
        name: Constant(tensor, traced.names[name]) for name, tensor in traced.constants.items()
    }
    values[traced.input] = reading.add(Input(), [], shape, "")
    calls = _needed(traced)
    _check_known(calls, values)
    for call in calls:
        values[call.name] = _value(reading, call, [_resolved(arg, values) for arg in call.args])
    if traced.output not in traced.by_name:
        raise UnreadableError("The network's output is its input: it computes nothing.")
    output = reading.position(values[traced.output], traced.by_name[traced.output])
    return _checked(Graph(tuple(reading.nodes), output), reading.weights)


def _needed(traced: Trace) -> list[Call]:
    """The calls that the output depends on, in order."""
    needed = {traced.output}
    calls = []
    for call in reversed(traced.calls):
        if call.name in needed:
            needed.update(refs(call.args))
            calls.append(call)
    return calls[::-1]


def _check_known(calls: Sequence[Call], constants: Mapping[str, Value]) -> None:
    """Raise UnreadableError for calls on maps that have no rule, before any is read."""
    fixed = {name for name, value in constants.items() if isinstance(value, Constant)}
    unknown: list[Call] = []
    for call in calls:
        if all(name in fixed for name in refs(call.args)):
            fixed.add(call.name)
        elif call.op not in RULES:
            unknown.append(call)
    if unknown:
        unknown.sort(key=lambda call: call.op not in TELLING)
        names = list(dict.fromkeys(call.op.partition(".")[0] for call in unknown))
        others = f" (nor {', '.join(sorted(names[1:]))})" if names[1:] else ""
        raise UnreadableError(f"{unknown[0].place}, which an atlas cannot read{others}.")


def _resolved(arg: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(arg, Ref):
        return values[arg.name]
    return [_resolved(part, values) for part in arg] if isinstance(arg, list) else arg


def _value(reading: Reading, call: Call, args: list[Any]) -> Value:
    """What a call makes: of constants alone a constant, else by its rule."""
    if _on_maps(args):
        return RULES[call.op](reading, _placed(call), args)
    made = call.compute(plain(args))
    return _as_constant(made)


def _placed(call: Call) -> Call:
    """A call that the outermost forward makes gets its operation's name as a path."""
    return call if call.path else replace(call, path=call.op.partition(".")[0], outermost=True)


def _on_maps(arg: object) -> bool:
    if isinstance(arg, list):
        return any(_on_maps(part) for part in arg)
    return isinstance(arg, Arrangement)


def _as_constant(made: Any) -> Value:
    if isinstance(made, Tensor):
        return Constant(made)
    return [_as_constant(part) for part in made] if isinstance(made, list | tuple) else made


def _checked(graph: Graph, weights: Weights) -> tuple[Graph, Weights]:
    """A graph without nodes that the output does not need, and the weights that it names."""
    needed = graph.ancestors(graph.output)
    position = {old: new for new, old in enumerate(needed)}
    nodes = [
        Node(
            graph.nodes[old].op,
            tuple(position[feeding] for feeding in graph.nodes[old].inputs),
            graph.nodes[old].shape,
            graph.nodes[old].path,
        )
        for old in needed
    ]
    pruned = Graph(tuple(nodes), position[graph.output])
    if fault := graph_fault(pruned):
        raise UnreadableError(f"The network has a form that an atlas cannot hold: {fault}.")
    for name in pruned.layers:
        if (size := len(name.encode())) > LONGEST_NAME:
            raise UnreadableError(
                f"The layer {name} has a name of {size} bytes, and files named after it allow for "
                f"{LONGEST_NAME}.",
                fix="Give the modules on its path shorter names.",
            )
    return pruned, {name: weights[name] for name in pruned.tensors}
