"""Rules for what moves entries of a tensor and changes none."""

from typing import Any

from torch import Tensor

from pipeline.adopt.reading import Constant, Reading, Value
from pipeline.adopt.rules.registry import rule
from pipeline.adopt.trace import Call, UnreadableError

REARRANGING = (
    "_unsafe_view",
    "alias",
    "channel_shuffle",
    "chunk",
    "clone",
    "contiguous",
    "detach",
    "expand",
    "flatten.using_ints",
    "flip",
    "index_select",
    "native_channel_shuffle",
    "permute",
    "pixel_shuffle",
    "pixel_unshuffle",
    "reshape",
    "roll",
    "select.int",
    "slice.Tensor",
    "split.Tensor",
    "split_with_sizes",
    "squeeze",
    "squeeze.dim",
    "squeeze.dims",
    "t",
    "transpose.int",
    "unbind.int",
    "unflatten.int",
    "unsqueeze",
    "view",
)
"""They run on positions."""


@rule("getitem")
def _item(reading: Reading, call: Call, args: list[Any]) -> Value:
    results, position = args
    if position >= len(results):
        raise UnreadableError(f"{call.place} for the places of the maxima.")
    return results[position]


@rule(*REARRANGING)
def _rearrange(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor = args[0]
    values = [part.tensor if isinstance(part, Constant) else part for part in args[1:]]
    made = call.compute([tensor.cells, *values])
    if isinstance(made, Tensor):
        return tensor.rearranged(made)
    return [tensor.rearranged(part) for part in made]


@rule("to.dtype", "_to_copy", "dropout", "contiguous")
def _same(reading: Reading, call: Call, args: list[Any]) -> Value:
    return args[0]
