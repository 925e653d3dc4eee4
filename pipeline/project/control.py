"""The control: the same units of the same images through the network at its start.

A sharp projection is partly the image's own structure, recorded in the switches, and a network of
random weights draws it too. What the control shows was not learnt.
"""

from pathlib import Path

import numpy as np
import torch
import zarr
from jaxtyping import Float16, Float64

from pipeline.compute.worker_cache import load_pinned_model
from pipeline.dataset.torch_seeding import generator_for
from pipeline.network.card import load_card, named_snapshots
from pipeline.network.model import Model, load_model
from pipeline.network.ops import BatchNorm, ChannelNorm, MapNorm, Op, Scale
from pipeline.storage.stores import SHARD_CHANNELS, read_array

CONTROL_RANKS = 2
"""The ranks of each channel that have a control: so many cost less than a third of `project`."""


def load_start(folder: Path, model_sha256: str, seed: int) -> Model:
    """The network of a model folder at its start: its snapshot 0, or else weights drawn again."""
    if 0 in named_snapshots(folder, load_card(folder)):
        return load_model(folder, snapshot=0)
    return redrawn(load_pinned_model(folder, model_sha256), seed)


def redrawn(model: Model, seed: int) -> Model:
    """The model with its weights drawn by He's rule, biases of 0 and norms that change nothing.

    A tensor is drawn by its place among the names.
    """
    network = model.network
    ones = {name for node in model.graph.nodes for name in _factors(node.op)}
    for number, (name, values) in enumerate(sorted(network.named_parameters())):
        if values.ndim < 2:
            values.fill_(float(name in ones))
            continue
        rng = generator_for(seed, "control", number)
        deviation = (2 / values[0].numel()) ** 0.5
        values.copy_(torch.randn(values.shape, generator=rng) * deviation)
    for name, statistic in network.named_buffers():
        statistic.fill_(float(name in ones))
    return model


def _factors(op: Op) -> tuple[str | None, ...]:
    """The tensors of a norm or scale that are 1 where it changes nothing; its others are 0."""
    match op:
        case BatchNorm():
            return op.weight, op.variance
        case ChannelNorm() | MapNorm():
            return (op.weight,)
        case Scale():
            return (op.factor,)
        case _:
            return ()


def control_correlation(layer: zarr.Group) -> float | None:
    """Of a layer's projections with their controls: the mean magnitude of Pearson's correlation.

    Pairs of which one is blank have none and are left out; None where all are.
    """
    channels = dict(layer.arrays())["control"].shape[0]
    found = []
    for first in range(0, channels, SHARD_CHANNELS):
        part = slice(first, first + SHARD_CHANNELS)
        control = read_array(layer, "projections", "control", part)
        ranks = control.shape[1]
        projection = read_array(layer, "projections", "projection", part)[:, :ranks]
        pairs = (len(control) * ranks, -1)
        found.append(_correlations(projection.reshape(pairs), control.reshape(pairs)))
    values = np.abs(np.concatenate(found))
    return float(np.nanmean(values)) if np.isfinite(values).any() else None


def _correlations(
    first: Float16[np.ndarray, "pair value"], second: Float16[np.ndarray, "pair value"]
) -> Float64[np.ndarray, " pair"]:
    """Pearson's correlation of each pair; NaN where one of the two is constant."""
    centred = [values.astype(np.float64) for values in (first, second)]
    for values in centred:
        values -= values.mean(axis=1, keepdims=True)
    a, b = centred
    lengths = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    correlation: Float64[np.ndarray, " pair"] = np.full(len(a), np.nan)
    np.divide((a * b).sum(axis=1), lengths, out=correlation, where=lengths > 0)
    return correlation
