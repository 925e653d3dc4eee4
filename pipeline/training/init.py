"""The start of the weights: drawn, or taken from a file (paper, section 3)."""

import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from pipeline.adopt.external_weights import read_external_weights
from pipeline.dataset.decoded import ImageDataset, Rows
from pipeline.dataset.prefetch import prefetch
from pipeline.dataset.torch_seeding import generator_for
from pipeline.errors import AtlasError
from pipeline.network.graph import Graph
from pipeline.network.module import Network, empty_network
from pipeline.network.normalisation import Normalisation
from pipeline.network.weights_file import check_values
from pipeline.training.data import TrainingData
from pipeline.training.distributed import Group
from pipeline.training.task import TrainingTask

logger = logging.getLogger(__name__)
PAPER_STD = 0.01


def starting_network(task: TrainingTask) -> tuple[Network, frozenset[str]]:
    """The network before its first step: drawn, then what the task's file fits, then frozen.

    With it the names of the layers that the file gave. The first layer of `init: patches` is left
    to `draw_first_layer`, which needs the images.
    """
    train = task.params.train
    network = init_network(task.graph(), train.init, generator_for(task.params.seed, "start"))
    taken: frozenset[str] = frozenset()
    if task.init_weights is not None:
        taken = load_matching(network, task.init_weights, train.scale, train.freeze)
    freeze(network, train.freeze)
    return network, taken


@torch.no_grad()
def draw_first_layer(
    network: Network, task: TrainingTask, images: TrainingData, group: Group, threads: int
) -> None:
    """Draw the first layer's filters from the statistics of the training images' patches."""
    weight = network.get_parameter(f"{network.graph.layers[0]}.weight")
    covariance = patch_covariance(
        images.train, task.params.data.crop, weight.shape[2], images.normalisation, group, threads
    )
    rng = generator_for(task.params.seed, "patches")
    weight.copy_(patch_filters(covariance, len(weight), rng))


def init_network(
    graph: Graph, init: Literal["normal", "he", "patches"], rng: torch.Generator
) -> Network:
    """A network with weights drawn layer by layer, biases 0.

    `normal` draws from N(0, 0.01²); the others from N(0, 2 / inputs of a unit), which keeps the
    size of the signal through ReLUs, and N(0, 1 / inputs of a unit) for the class scores.
    """
    network = empty_network(graph).to_empty(device="cpu")
    last = graph.layers[-1]
    with torch.no_grad():
        for layer in graph.layers:
            weight = network.get_parameter(f"{layer}.weight")
            gain = 1.0 if layer == last else 2.0
            std = PAPER_STD if init == "normal" else (gain / fan_in(weight.shape)) ** 0.5
            weight.normal_(0.0, std, generator=rng)
            network.get_parameter(f"{layer}.bias").zero_()
    return network


def fan_in(shape: Sequence[int]) -> int:
    """Weights of one output channel or feature, its bias aside, of the shape of all."""
    return prod(shape[1:])


def load_matching(
    network: Network, path: Path, scale: float, frozen: Collection[str]
) -> frozenset[str]:
    """Overwrite the layers of a network that a weights file fits; log the others by name.

    `scale` is that of the network's inputs. Returns the names of the layers taken over.

    Raises AtlasError where no layer fits, or one that shall not learn does not.
    """
    given = read_external_weights(path).at_scale(scale)
    misfits = {}
    fitting = {}
    for name, tensor in network.state_dict().items():
        if name not in given:
            misfits[name] = "missing"
        elif given[name].shape != tensor.shape:
            misfits[name] = f"{tuple(given[name].shape)}, not {tuple(tensor.shape)}"
        else:
            fitting[name] = given[name]
    fresh = {name.partition(".")[0] for name in misfits}
    misfit = "; ".join(f"{name} is {fault}" for name, fault in misfits.items())
    if stuck := sorted(fresh & set(frozen)):
        raise AtlasError(
            f"{path} does not fit layers that train.freeze keeps ({', '.join(stuck)}): {misfit}.",
            fix="Freeze only layers that the file holds in the same shape.",
        )
    taken = {name: t for name, t in fitting.items() if name.partition(".")[0] not in fresh}
    if not taken:
        raise AtlasError(
            f"{path} fits no layer of the network: {misfit}.",
            fix="Choose the architecture and width that the weights were trained with.",
        )
    check_values(taken, path, fix="Name weights of finite real numbers.")
    network.load_state_dict(taken, strict=False)
    if misfits:
        logger.info(
            "%s does not fit %s, drawn at random instead: %s.",
            path,
            ", ".join(sorted(fresh)),
            misfit,
        )
    return frozenset(name.partition(".")[0] for name in taken)


def freeze(network: Network, layers: Collection[str]) -> None:
    """Keep layers from learning. Raises AtlasError for a name that the network lacks."""
    for layer in layers:
        network.graph.layer(layer)
        network.get_submodule(layer).requires_grad_(False)
    if set(layers) == set(network.graph.layers):
        raise AtlasError("train.freeze names every layer.", fix="Leave out those that shall learn.")


def conv_weights(network: Network) -> dict[str, Float[Tensor, "out in row col"]]:
    """The filters of the conv layers, by layer."""
    return {layer: network.get_parameter(f"{layer}.weight") for layer in network.graph.conv_layers}


IMAGES = 4096
"""Training images that are looked at, evenly spread where there are more."""
STEPS = 16
"""Steps per grey level to which a patch is rounded, so that its sums are whole numbers."""
RUN = 16
"""Images summed at a time."""
RESPONSE_VARIANCE = 2.0
"""He's: a ReLU halves it, so that the next layer's inputs have unit variance."""

Covariance = Float64[Tensor, "weight weight"]


def patch_covariance(
    squares: ImageDataset,
    crop: int,
    kernel: int,
    normalisation: Normalisation,
    group: Group,
    threads: int,
) -> Covariance:
    """The covariance of the kernel × kernel × 3 patches that tile the centre crops, as inputs.

    Sums of whole numbers below 2⁵³ are exact in float64: no order of the images and no number of
    processes changes a bit.
    """
    size = 3 * kernel**2
    sums = torch.zeros(size + 1, size, dtype=torch.float64)
    first = (squares.side - crop) // 2
    inside = slice(first, first + crop)
    mean = normalisation.mean.cpu()

    def run_sums(rows: Rows) -> tuple[int, Float64[Tensor, "sums weight"]]:
        pixels = np.ascontiguousarray(squares.__getitems__(rows)[:, inside, inside])
        views = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
        patches = _patches(((views - mean) * STEPS).round(), kernel).double()
        return len(patches), torch.cat([patches.T @ patches, patches.sum(dim=0, keepdim=True)])

    count = torch.zeros(1, dtype=torch.float64)
    for _, (patches, part) in prefetch(run_sums, _runs(len(squares), group), threads, 2 * threads):
        count += patches
        sums += part
    total, whole = group.all_reduce_sum(sums), group.all_reduce_sum(count)
    mean_patch = total[-1] / whole
    covariance: Covariance = total[:-1] / whole - torch.outer(mean_patch, mean_patch)
    return covariance * (float(normalisation.scale) / STEPS) ** 2


def _patches(views: Float[Tensor, "image 3 row col"], kernel: int) -> Float[Tensor, "patch weight"]:
    """The patches side by side, each in the order of a filter's weights."""
    tiles = views.unfold(2, kernel, kernel).unfold(3, kernel, kernel)
    return tiles.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * kernel**2)


def _runs(count: int, group: Group) -> Iterator[Rows]:
    """This process's share of the images that are looked at."""
    chosen = np.arange(min(count, IMAGES)) * count // min(count, IMAGES)
    mine = chosen[group.shard(len(chosen))]
    for first in range(0, len(mine), RUN):
        yield mine[first : first + RUN]


def patch_filters(
    covariance: Covariance, count: int, rng: torch.Generator
) -> Float[Tensor, "out 3 kernel kernel"]:
    """Filters with the covariance of the patches, each scaled to a response of He's variance.

    They have the images' coarse patterns and colours, where white noise has grain.
    """
    kernel = round((len(covariance) / 3) ** 0.5)
    with _one_thread():
        filters = correlated(covariance, count, rng)
        variance = ((filters @ covariance) * filters).sum(dim=1)
    gain = (RESPONSE_VARIANCE / variance.clamp(min=1e-30)).sqrt()
    return (filters * gain[:, None]).reshape(count, 3, kernel, kernel).float()


def correlated(
    covariance: Covariance, count: int, rng: torch.Generator
) -> Float64[Tensor, "draw weight"]:
    """Draws from N(0, C): C^½ times white noise."""
    values, vectors = torch.linalg.eigh(covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T
    white = torch.randn(count, len(covariance), generator=rng, dtype=torch.float64)
    return torch.matmul(white, root)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Products on one thread: their last bits depend on the number, which depends on the group."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
