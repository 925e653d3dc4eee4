"""Rules for what moves entries of a tensor and changes none."""

from typing import Any

import torch
from torch import Tensor

from pipeline.adopt.reading import Constant, Reading, Value, plain
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
    "index.Tensor",
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
    made = call.compute([tensor.cells, *plain(args[1:])])
    if isinstance(made, Tensor):
        return tensor.rearranged(made)
    return [tensor.rearranged(part) for part in made]


@rule("zeros_like", "ones_like")
def _filled(reading: Reading, call: Call, args: list[Any]) -> Value:
    """A constant that has only the shape of a map."""
    return Constant(call.compute([torch.empty(args[0].shape), *args[1:]]))


@rule("to.dtype", "_to_copy", "dropout", "contiguous")
def _same(reading: Reading, call: Call, args: list[Any]) -> Value:
    return args[0]
