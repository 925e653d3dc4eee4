"""What a projection costs: windows against whole images, Captum, and the reference's picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import prod

import numpy as np
import torch
from torch import Tensor

from benchmarks.cost import least
from benchmarks.row import Row
from benchmarks.whole_images import PER_BATCH, autograd_batch, captum_batch, without_norm
from benchmarks.world import LAYERS, photograph_like
from pipeline.atlas.chunks import entry_chunks
from pipeline.atlas.layer_entries import LayerEntries
from pipeline.network.architectures import build_chain
from pipeline.network.geometry import seed_of, windows
from pipeline.network.module import Network
from pipeline.network.receptive_field import receptive_field
from pipeline.params import Method
from pipeline.project.deconvnet import Deconvnet, Units
from pipeline.project.forward_work import window_macs
from pipeline.project.method import recorded
from pipeline.project.projector import Projector
from pipeline.project.switch_maps import cut_windows
from pipeline.project.switches import SwitchFinder
from pipeline.verify.entry import cut_out
from pipeline.verify.reference import Reference
from pipeline.verify.ties import apply_claims

GOALS = {"conv1": 100, "conv2": 100, "conv3": 15, "conv4": 15, "conv5": 8}
RANKS = 9
IMAGES = 600
"""Validation images of the measured case, as in the demo."""
BATCH = 16
METHOD: Method = "deconvnet"


@dataclass(frozen=True)
class Case:
    """A full ZFNet with random weights, and photograph-like noise."""

    network: Network
    images: dict[int, Tensor]
    peaks: dict[str, tuple[Tensor, Tensor]]
    """By layer: the activation and the cell number of every channel's peak, (image, channel)."""


def rows(quick: bool) -> Iterator[Row]:
    """The rows about projections: costs in CPU seconds of one thread, and errors."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        case = _case(images=15 if quick else 60)
        yield from _cost_rows(case, 1 if quick else 3)
        yield from _error_rows(case, 2 if quick else 6)
    finally:
        torch.set_num_threads(threads)


def _cost_rows(case: Case, repeats: int) -> Iterator[Row]:
    graph, methods = case.network.graph, dict.fromkeys(LAYERS, METHOD)
    projector = Projector(case.network, methods, BATCH, finite=True)
    counts = {layer: graph.layer(layer).channels * RANKS for layer in LAYERS}
    share = len(case.images) / IMAGES
    spread = {layer: round(count * share) for layer, count in counts.items()}
    plain = {
        layer: least(partial(autograd_batch, case.network, layer, case.images), repeats) / PER_BATCH
        for layer in LAYERS
    }
    ours = _layer_costs(case, projector, spread, repeats)
    for layer in LAYERS:
        yield _ratio_row(f"projections of {layer}", plain[layer], ours[layer], GOALS[layer])
    whole = sum(plain[layer] * counts[layer] for layer in LAYERS)
    shared = _ours(case, projector, spread, repeats) / share
    yield _total_row(f"all {sum(counts.values()):,} projections, {IMAGES} images", whole, shared)
    each = sum(
        _ours(case, projector, {layer: len(case.images)}, repeats) / len(case.images) * count
        for layer, count in counts.items()
    )
    yield _total_row("the same, each from an image of its own", whole, each)
    module = without_norm(case.network, "conv5")
    work = partial(captum_batch, module, module[-2], (0, 6, 6), case.images)
    captum = least(work, repeats) / PER_BATCH
    yield _ratio_row("projections of conv5", captum, ours["conv5"], GOALS["conv5"], CAPTUM)


def _layer_costs(
    case: Case, projector: Projector, spread: dict[str, int], repeats: int
) -> dict[str, float]:
    """CPU seconds of a projection of each layer in a run over all layers.

    The forward passes of whole images, which all layers share, count by the work that each
    entry's own window would have been.
    """
    entries = {layer: _entries(case, layer, count) for layer, count in spread.items()}
    cpu, graph = torch.device("cpu"), case.network.graph
    maps = projector.whole_images(entries, case.images)
    forward = least(lambda: projector.whole_images(entries, case.images), repeats)
    work = {layer: window_macs(graph, layer, projector.passes.nodes(layer)) for layer in spread}
    unit = forward / sum(work[layer] * count for layer, count in spread.items())
    return {
        layer: unit * work[layer]
        + least(partial(projector.layer, layer, found, case.images, maps, cpu), repeats)
        / len(found)
        for layer, found in entries.items()
    }


PLAIN = "one full-image backward pass each, 9 per batch, plain autograd"
CAPTUM = "Captum NeuronDeconvolution, 9 per batch, the network without norm"


def _ratio_row(name: str, theirs: float, ours: float, goal: float, against: str = PLAIN) -> Row:
    note = f"{1 / ours:,.0f} against {1 / theirs:.1f} projections per CPU second, forward included"
    return Row(name, against, theirs / ours, "×", goal, "higher", note)


def _total_row(name: str, theirs: float, ours: float) -> Row:
    note = f"{ours:,.0f} against {theirs:,.0f} CPU seconds, forward included"
    return Row(name, PLAIN, theirs / ours, "×", 12, "higher", note)


@torch.no_grad()
def _case(images: int) -> Case:
    chance = torch.Generator().manual_seed(0)
    network = Network(build_chain("zfnet", 101, 224)).eval().requires_grad_(False)
    for weight in network.parameters():
        spread = (2 / weight[0].numel()) ** 0.5 if weight.ndim > 1 else 0.0
        weight.copy_(torch.randn(weight.shape, generator=chance) * spread)
    inputs = {row: photograph_like(chance) for row in range(images)}
    found: dict[str, list[tuple[Tensor, Tensor]]] = {layer: [] for layer in LAYERS}
    for image in inputs.values():
        for layer, maps in network.activations(image, LAYERS).items():
            peak = maps[0].flatten(1).max(dim=1)
            found[layer].append((peak.values, peak.indices))
    peaks = {
        layer: (torch.stack([p for p, _ in pairs]), torch.stack([c for _, c in pairs]))
        for layer, pairs in found.items()
    }
    return Case(network, inputs, peaks)


def _ours(case: Case, projector: Projector, counts: dict[str, int], repeats: int) -> float:
    """CPU seconds for so many entries of each layer, spread evenly over the images."""
    entries = {layer: _entries(case, layer, count) for layer, count in counts.items()}
    fields = {layer: receptive_field(case.network.graph, layer) for layer in counts}
    sizes = {layer: prod(field.size) * 6 for layer, field in fields.items()}
    cpu = torch.device("cpu")

    def work() -> None:
        for chunk in entry_chunks(entries, sizes):
            projector(chunk, case.images, cpu)

    return least(work, repeats)


def _entries(case: Case, layer: str, count: int) -> LayerEntries:
    """Entries of positive peaks at random channels, in turn over the images."""
    activation, cell = (values.numpy() for values in case.peaks[layer])
    image = np.sort(np.arange(count) % len(case.images)).astype(np.int32)
    channel = np.random.default_rng(1).integers(0, activation.shape[1], count)
    flat, side = cell[image, channel], case.network.graph.layer(layer).size[1]
    cells = np.stack([flat // side, flat % side], axis=1).astype(np.int32)
    started = np.maximum(activation[image, channel], np.float32(1e-3))
    return LayerEntries(channel, np.arange(count), image, cells, started)


def _error_rows(case: Case, images: int) -> Iterator[Row]:
    """The worst errors against the reference, which is held to our switches at ties."""
    before, stored, tied, count = 0.0, 0.0, 0, 0
    for image in range(images):
        for layer in LAYERS:
            single, half, differs = _errors(case, layer, image)
            before, stored = max(before, single), max(stored, half)
            tied, count = tied + differs, count + 1
    note = f"worst of {count}, conv1 to conv5; in {tied} a maximum was tied to rounding"
    against = "autograd on the whole image"
    yield Row("error of a projection", against, before, "", 1e-5, "lower", f"relative L2; {note}")
    yield Row("the same as stored", against, stored, "", 2e-3, "lower", f"relative L2; {note}")


def _errors(case: Case, layer: str, image: int) -> tuple[float, float, bool]:
    """Relative L2 errors before and after half precision, and whether switches differed."""
    graph, found = case.network.graph, _entries(case, layer, len(case.images))
    cell, channel = torch.from_numpy(found.cell[image : image + 1]).long(), found.channel[image]
    units = Units(torch.tensor([channel]), cell, torch.ones(1))
    nodes = recorded(graph, layer, METHOD)
    maps = SwitchFinder(case.network, finite=True).maps(case.images[image], nodes)
    below = windows(graph, seed_of(graph, layer))
    switches = cut_windows(below, [maps], cell, nodes)
    ours = Deconvnet(case.network, layer, METHOD)(units, switches)[0]
    reference = Reference(graph, dict(case.network.named_parameters()))
    pixels, unit = case.images[image][0].double(), (int(channel), *cell[0].tolist())
    passed = reference(pixels, [layer])
    claims = {at: ((0, 0), offsets) for at, offsets in maps.items()}
    held = reference(pixels, [layer], apply_claims(passed.windows, claims))
    projection = held.project(layer, unit, 1.0)
    box = receptive_field(graph, layer).boxes(found.cell[image])
    expected = cut_out(projection, box)
    scale = ours.abs().max()
    errors = [
        float((values.double() - expected).norm() / expected.norm())
        for values in (ours, (ours / scale).half().float() * scale)
    ]
    differs = not torch.equal(projection, passed.project(layer, unit, 1.0))
    return errors[0], errors[1], differs
