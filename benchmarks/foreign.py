"""Networks from elsewhere: projections against Captum, scans against a plain loop, reading."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MethodType

import numpy as np
import torch
from torch import Tensor, nn
from torchvision.models.googlenet import BasicConv2d
from torchvision.models.resnet import Bottleneck

from benchmarks.cost import least, timed
from benchmarks.memory import alone
from benchmarks.row import Row
from benchmarks.whole_images import PER_BATCH, captum_batch
from benchmarks.world import (
    BATCH,
    SIDE,
    World,
    built,
    inputs_like_photographs,
    make_torchvision_world,
)
from pipeline.adopt.read import read
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.compute import cluster
from pipeline.network.module import Network
from pipeline.network.selection import selected
from pipeline.project.adopted import TOLERANCE, Comparison
from pipeline.project.method import method_of
from pipeline.project.projector import Projector

UNITS = 48
"""Projections of a layer that are timed together."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Compared:
    """A layer whose projections are timed, and the module that Captum is given for it."""

    network: str
    layer: str
    module: str
    goal: float


PROJECTIONS = (
    Compared("resnet50", "layer1.2", "layer1.2", 400),
    Compared("resnet50", "layer2.3", "layer2.3", 35),
    Compared("resnet50", "layer3.5", "layer3.5", 5),
    Compared("resnet50", "layer4.2", "layer4.2", 4),
    Compared("vgg16", "features.14", "features.15", 200),
    Compared("vgg16", "features.21", "features.22", 30),
    Compared("vgg16", "features.28", "features.29", 3),
    Compared("googlenet", "inception4e", "inception4e", 4),
    Compared("densenet121", "features.denseblock3", "features.transition3.relu", 4),
)
SCANS = {"resnet50": 1.8, "vgg16": 1.3}
EXACT = (
    "vgg16",
    "vgg16_bn",
    "resnet18",
    "resnet50",
    "googlenet",
    "densenet121",
    "squeezenet1_1",
    "mobilenet_v2",
    "regnet_y_400mf",
    "efficientnet_b0",
)
"""Networks whose projections are compared with autograd through the module."""
READINGS = ("resnet50", "densenet121")


def rows(quick: bool) -> Iterator[Row]:
    """The rows about networks from elsewhere, in CPU seconds of one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name in READINGS:
            yield _reading_row(name)
        for name in dict.fromkeys(one.network for one in PROJECTIONS):
            yield from _projection_rows(name, 1 if quick else 3)
        for name in EXACT[2:5] if quick else EXACT:
            yield _error_row(name)
        for name, goal in SCANS.items():
            yield _scan_row(name, goal, 64 if quick else 320)
    finally:
        torch.set_num_threads(threads)


def _reading_row(name: str) -> Row:
    module = built(name)
    spent, _ = timed(lambda: read(module, (3, SIDE, SIDE)))
    return Row(f"reading {name}", "", spent, "s", 15, "lower", "CPU seconds of one thread")


def _error_row(name: str) -> Row:
    """The largest error of three layers' strongest units and those in a corner of the map."""
    module = built(name)
    graph, weights = read(module, (3, SIDE, SIDE))
    layers = [layer.name for layer in selected(graph, ["cuts"])]
    found = Comparison(module, graph, weights, 3).of_layers(layers, "auto")
    return Row(
        f"projections of {name}",
        "autograd through the module",
        max(found.values()),
        "",
        TOLERANCE,
        "lower",
        f"relative L2, both in double; the strongest unit and a corner's of {', '.join(found)}",
    )


def _projection_rows(name: str, repeats: int) -> Iterator[Row]:
    module = built(name)
    graph, weights = read(module, (3, SIDE, SIDE))
    network = Network(graph)
    network.load_state_dict(weights)
    network.eval().requires_grad_(False)
    images = {row: image[None] for row, image in enumerate(inputs_like_photographs(4))}
    layers = [one.layer for one in PROJECTIONS if one.network == name]
    with torch.inference_mode():
        maps = network.activations(torch.cat(list(images.values())), layers)
    readable = _readable(module)
    for one in PROJECTIONS:
        if one.network == name:
            entries = _entries(maps[one.layer])
            ours, forward = _ours(network, one.layer, entries, images, repeats)
            submodule = readable.get_submodule(one.module)
            work = partial(captum_batch, readable, submodule, (0, 3, 3), images)
            theirs = least(work, 1) / PER_BATCH
            note = (
                f"{1 / ours:,.0f} against {1 / theirs:.1f} projections per CPU second, "
                f"{UNITS} together; the forward pass for the switches, {1e3 * forward:.0f} ms an "
                "image, aside"
            )
            against = "Captum NeuronDeconvolution, 9 per batch"
            what = f"projections of {name} {one.layer}"
            yield Row(what, against, theirs / ours, "×", one.goal, "higher", note)


def _entries(maps: Tensor) -> LayerEntries:
    """Entries at the peaks of channels in turn, over all images."""
    flat = maps.flatten(2)
    image = np.sort(np.arange(UNITS) % len(maps)).astype(np.int32)
    channel = np.random.default_rng(1).integers(0, maps.shape[1], UNITS)
    peak = flat[torch.from_numpy(image).long(), torch.from_numpy(channel)].max(dim=1)
    cell = np.stack(np.divmod(peak.indices.numpy(), maps.shape[3]), axis=1).astype(np.int32)
    start = peak.values.clamp(min=1e-3).numpy()
    return LayerEntries(channel, np.arange(UNITS), image, cell, start)


def _ours(
    network: Network,
    layer: str,
    entries: LayerEntries,
    images: dict[int, Tensor],
    repeats: int,
) -> tuple[float, float]:
    """CPU seconds of a projection, and of the forward pass of an image."""
    method = method_of(network.graph, layer, "auto")
    projector = Projector(network, {layer: method}, 16, finite=True)
    passes, nodes = projector.passes, projector.passes.nodes(layer)
    maps = {row: passes.maps(image, nodes) for row, image in images.items()}
    down = least(lambda: projector.layer(layer, entries, images, maps, CPU), repeats)
    forward = least(lambda: passes.maps(images[0], nodes), repeats)
    return down / UNITS, forward


def _readable(module: nn.Module) -> nn.Module:
    """The module with a ReLU module of its own wherever it calls one, as Captum's hooks need."""
    for part in module.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    for part in list(module.modules()):
        if isinstance(part, Bottleneck):
            part.relu1, part.relu2, part.relu3 = nn.ReLU(), nn.ReLU(), nn.ReLU()
            part.forward = MethodType(_bottleneck, part)
        elif isinstance(part, BasicConv2d):
            part.relu = nn.ReLU()
            part.forward = MethodType(lambda self, x: self.relu(self.bn(self.conv(x))), part)
    return module


def _bottleneck(self: Bottleneck, x: Tensor) -> Tensor:
    y = self.relu1(self.bn1(self.conv1(x)))
    y = self.relu2(self.bn2(self.conv2(y)))
    y = self.bn3(self.conv3(y))
    made: Tensor = self.relu3(y + (x if self.downsample is None else self.downsample(x)))
    return made


def _scan_row(name: str, goal: float, images: int) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        ours = _scan_cost(make_torchvision_world(name, Path(folder)), images)
    theirs = alone(_eager_cost, name)
    return Row(
        f"scan of {name}, files to records",
        "a plain eager loop over ready tensors",
        theirs / ours,
        "×",
        goal,
        "higher",
        f"{1 / ours:.1f} against {1 / theirs:.1f} images per CPU second, default layers",
    )


def _scan_cost(world: World, images: int) -> float:
    """CPU seconds of an image, of this process and its threads."""
    scan = world.scan(images)
    with tempfile.TemporaryDirectory() as state:
        start = time.process_time()
        with cluster.workers(None, 0, CPU, cores=1) as pool:
            scan.run(pool, Path(state) / "checkpoint")
        return (time.process_time() - start) / images


def _eager_cost(name: str) -> float:
    """CPU seconds of an image in a process whose memory no scan has set to be kept."""
    torch.set_num_threads(1)
    return least(partial(_eager, built(name)), 2) / BATCH


@torch.inference_mode()
def _eager(module: nn.Module) -> None:
    module(torch.randn(BATCH, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)))
