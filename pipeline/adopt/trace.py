"""A module of torch as a list of calls, by `torch.export`: the one place that runs its forward.

`run_decompositions({})` makes the list functional (nothing is changed in place) and leaves
convolutions, pools and activation functions whole.
"""

import io
import logging
import operator
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.export import ExportedProgram
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

from pipeline.errors import AtlasError

COLOURS = {
    1: "It sees grey: give --grey MEAN STD.",
    3: "It sees colour: give --mean R G B --std R G B instead of --grey.",
}
"""What to do for a network of so many input channels."""
OTHER_COLOURS = (
    "An atlas shows images in colour (3 channels) or, with --grey, in grey (1): write a function "
    "that returns a network of those."
)
WITHOUT_TESTS = (
    "Only a network that does the same for every image can be adopted: test no tensor in an `if`, "
    "and make no number of one (`.item()`)."
)
NORMALIZE = "_functional_tensor.py"
"""The file in which torchvision.transforms.Normalize tests its deviations."""
WITHOUT_NORMALIZE = (
    "Give --mean and --std instead of torchvision.transforms.Normalize, or take the one of "
    "torchvision.transforms.v2."
)


class UnreadableError(AtlasError):
    """A network that cannot be read, with the operation and where it is."""

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(
            problem,
            fix=fix or "docs/networks.md lists what can be read; adopt a part that ends before it.",
        )


@dataclass(frozen=True)
class Call:
    """One operation that the module's forward calls."""

    name: str
    """Its own, unique."""
    op: str
    """Of the operation, such as `conv2d` or `add.Tensor`."""
    target: Any
    """The operation itself."""
    args: tuple[Any, ...]
    """All of them, defaults too, with a `Ref` for everything computed."""
    keywords: tuple[str, ...]
    """Names of the last ones, which the operation takes by name alone."""
    path: str
    """Of the module whose forward makes the call."""
    shape: tuple[int, ...]
    """Of its result; () where that is not a tensor."""
    outermost: bool = False
    """Whether the whole network's forward makes it and `path` only names its nodes."""

    @property
    def place(self) -> str:
        """Where it is and what it does, for a message."""
        where = "The forward" if self.outermost or not self.path else self.path
        return f"{where} calls {self.op.partition('.')[0]}"

    def compute(self, args: Sequence[Any]) -> Any:
        """What the operation makes of other arguments: constants, or positions in a map."""
        by_position = len(args) - len(self.keywords)
        by_name = dict(zip(self.keywords, args[by_position:], strict=True))
        return self.target(*args[:by_position], **by_name)


@dataclass(frozen=True)
class Ref:
    """A value by the name of the call, parameter or input that it comes from."""

    name: str


@dataclass(frozen=True)
class Trace:
    """The calls of a module in order, from its one input to its one output."""

    calls: tuple[Call, ...]
    input: str
    output: str
    constants: Mapping[str, Tensor]
    """Parameters, buffers and constants, by the name that calls refer to."""
    names: Mapping[str, str]
    """Their keys in the module's state dict."""

    @cached_property
    def by_name(self) -> Mapping[str, Call]:
        """The calls by name."""
        return {call.name: call for call in self.calls}


def refs(args: object) -> Iterator[str]:
    """Names of all values that occur in a call's arguments."""
    if isinstance(args, Ref):
        yield args.name
    elif isinstance(args, Sequence) and not isinstance(args, str):
        for arg in args:
            yield from refs(arg)


def trace(module: nn.Module, shape: tuple[int, int, int]) -> Trace:
    """Run a module's forward once on values without content and list what it calls.

    Raises UnreadableError where its flow depends on the values, or it does not end in one tensor.
    """
    module.eval()
    program = _exported(module, torch.zeros(1, *shape))
    signature = program.graph_signature
    names = {
        **signature.inputs_to_parameters,
        **signature.inputs_to_buffers,
        **signature.inputs_to_lifted_tensor_constants,
    }
    held = {**program.constants, **program.state_dict}
    return Trace(
        calls=tuple(_call(node) for node in program.graph.nodes if node.op == "call_function"),
        input=str(signature.user_inputs[0]),
        output=_one_output(signature.user_outputs),
        constants={node: held[name].detach() for node, name in names.items()},
        names=names,
    )


def _exported(module: nn.Module, example: Tensor) -> ExportedProgram:
    with _quiet():
        try:
            program = torch.export.export(module, (example,), strict=False)
            functional: ExportedProgram = program.run_decompositions({})
            return functional
        except GuardOnDataDependentSymNode as error:
            raise UnreadableError(
                f"The network's flow depends on values that it computes{_line_of(error)}.",
                fix=WITHOUT_NORMALIZE if NORMALIZE in _line_of(error) else WITHOUT_TESTS,
            ) from None
        except (Exception, SystemExit) as error:  # the module's own code may raise anything
            _check_channels(error, example)
            raise UnreadableError(
                f"The network does not run on an input of {tuple(example.shape[1:])}: "
                f"{type(error).__name__}: {first_line(error)}{_line_of(error)}.",
                fix="Correct its forward or the input's size (--crop), and see that it takes one "
                "batch of images.",
            ) from None


def _check_channels(error: BaseException, example: Tensor) -> None:
    """Raise UnreadableError where the convolution that sees the input wants other channels."""
    words = rf"expected input{re.escape(str(list(example.shape)))} to have (\d+) channels"
    if found := re.search(words, str(error)):
        raise UnreadableError(
            f"The network takes {found[1]}-channel images, not {example.shape[1]}-channel ones.",
            fix=COLOURS.get(int(found[1]), OTHER_COLOURS),
        ) from None


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from logging and printing its own internals; what matters is raised."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def first_line(error: BaseException) -> str:
    """What an error says first, without a full stop."""
    return str(error).strip().partition("\n")[0].rstrip(".")


def _line_of(error: BaseException) -> str:
    """The place in the user's own code that a message of torch.export names."""
    places = re.findall(r'File "([^"]+)", line (\d+)', str(error))
    return f" ({places[-1][0]}, line {places[-1][1]})" if places else ""


def _one_output(results: Sequence[object]) -> str:
    given = [result for result in results if result is not None]
    if len(given) != 1 or not isinstance(given[0], str):
        raise UnreadableError(
            f"The network has {len(given)} outputs, and an atlas needs one.",
            fix="Write a function that returns a module with one map or one vector of scores as "
            "output, for instance model.backbone.",
        )
    return given[0]


def _call(node: fx.Node) -> Call:
    schema = getattr(node.target, "_schema", None)
    described = list(schema.arguments) if schema else []
    given = list(node.args)
    for argument in described[len(given) :]:
        given.append(node.kwargs.get(argument.name, argument.default_value))
    value = node.meta.get("val")
    return Call(
        name=node.name,
        op=_op_name(node),
        target=node.target,
        args=tuple(_referring(arg) for arg in given),
        keywords=tuple(argument.name for argument in described if argument.kwarg_only),
        path=_path(node),
        shape=tuple(value.shape) if isinstance(value, Tensor) else (),
    )


def _op_name(node: fx.Node) -> str:
    if node.target is operator.getitem:
        return "getitem"
    return str(node.target).removeprefix("aten.").removesuffix(".default")


def _referring(arg: Any) -> Any:
    if isinstance(arg, fx.Node):
        return Ref(arg.name)
    return [_referring(part) for part in arg] if isinstance(arg, list | tuple) else arg


def _path(node: fx.Node) -> str:
    """The path of the module in whose forward a call is made, without what file names refuse."""
    stack = list(node.meta.get("nn_module_stack", {}).values())
    path = str(stack[-1][0]) if stack else ""
    return re.sub(r"[^\w.-]", "_", path)
