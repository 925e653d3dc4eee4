"""Norms by channel, by cell, by map and over neighbouring channels."""

from typing import Any

import torch

from pipeline.adopt.arrangement import Arrangement
from pipeline.adopt.reading import Reading, Value
from pipeline.adopt.rules.registry import kept, rule
from pipeline.adopt.trace import Call, UnreadableError
from pipeline.network.ops import BatchNorm, ChannelNorm, LocalResponseNorm, MapNorm


@rule("_native_batch_norm_legit_no_training")
def _batch_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias, mean, variance, _, epsilon = args
    op = BatchNorm(
        reading.keep_constant(mean, call, "running_mean"),
        reading.keep_constant(variance, call, "running_var"),
        kept(reading, call, weight, "weight"),
        kept(reading, call, bias, "bias"),
        float(epsilon),
    )
    return [reading.over(op, _by_channel(reading, call, tensor), call.path)]


@rule("layer_norm")
def _layer_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, over, weight, bias, epsilon, _ = args
    cells = tensor.cells.reshape(-1, over[-1]).T
    ordered = cells.equal(torch.arange(cells.numel()).reshape(cells.shape))
    if len(over) != 1 or not tensor.whole or not ordered:
        raise UnreadableError(f"{call.place} over something else than the channels of each cell.")
    weight, bias = (kept(reading, call, c, k) for c, k in ((weight, "weight"), (bias, "bias")))
    return reading.over(ChannelNorm(weight, bias, float(epsilon)), tensor, call.path)


@rule("group_norm")
def _group_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, groups, weight, bias, epsilon, _ = args
    return _map_norm(reading, call, tensor, groups, (weight, bias, epsilon))


@rule("instance_norm")
def _instance_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, weight, bias, _, _, from_the_image, _, epsilon, _ = args
    if not from_the_image:
        raise UnreadableError(f"{call.place} with statistics that do not come from the image.")
    return _map_norm(reading, call, tensor, tensor.shape[1], (weight, bias, epsilon))


def _map_norm(
    reading: Reading, call: Call, tensor: Arrangement, groups: int, facts: tuple[Any, Any, float]
) -> Arrangement:
    weight, bias, epsilon = facts
    op = MapNorm(
        groups,
        kept(reading, call, weight, "weight"),
        kept(reading, call, bias, "bias"),
        float(epsilon),
    )
    return reading.over(op, _by_channel(reading, call, tensor), call.path)


def _by_channel(reading: Reading, call: Call, tensor: Arrangement) -> Arrangement:
    """A tensor whose second dimension is the channels of a map, in whatever shape its cells are."""
    if tensor.order is None and tensor.shape[:2] == (1, tensor.map[0]):
        return tensor
    return reading.as_map(tensor, call)


@rule("channel_norm")
def _channel_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, epsilon = args
    norm = ChannelNorm(None, None, float(epsilon))
    return reading.over(norm, reading.as_map(tensor, call), call.path)


@rule("local_response_norm")
def _local_response_norm(reading: Reading, call: Call, args: list[Any]) -> Value:
    tensor, channels, alpha, beta, k = args
    op = LocalResponseNorm(channels, float(alpha), float(beta), float(k))
    return reading.over(op, reading.as_map(tensor, call), call.path)
