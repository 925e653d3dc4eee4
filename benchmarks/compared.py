"""One network on a device and on the processor: the rates of the stages, and their agreement."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.agreement import Projections, Statistics, projections_beside, statistics_beside
from benchmarks.cost import wall
from benchmarks.world import World
from pipeline.atlas.chunks import Chunk, entry_chunks
from pipeline.atlas.layer_entries import present_entries
from pipeline.compute import cluster
from pipeline.compute.device import configure_matmul
from pipeline.dataset.store import ImageStore, open_images
from pipeline.dataset.verified import load_verified
from pipeline.evaluation.evaluate import evaluate
from pipeline.network.graph import Graph
from pipeline.network.model import Model, load_model
from pipeline.network.overflow import is_overflow_safe
from pipeline.network.receptive_field import receptive_field
from pipeline.progress import no_progress
from pipeline.project.method import method_of
from pipeline.project.projector import Projector
from pipeline.scan.forward import Forward
from pipeline.scan.layer_statistics import empty_statistics
from pipeline.scan.worker import peaks_of_batch

CPU = torch.device("cpu")
LITTLE_MIB = 400
"""Memory left for what is tried with too little; the weights of a network take up to 250."""


@dataclass(frozen=True)
class Amount:
    """How much is measured."""

    images: int
    """Scanned for the rate."""
    equal: int
    """Scanned by both, each another picture."""
    batch: int
    channels: int
    """Of a layer, projected for the rate; a tenth of them by both."""


@dataclass(frozen=True)
class Measurement:
    """A stage on the device."""

    what: str
    rate: float | None
    """Images, or projections, per second."""
    flop: float | None
    """Floating-point operations of one, where each has the same."""
    mib: float | None
    """The most memory of the card held at once."""
    beside: str
    """The result beside the processor's."""


class Compared:
    """A network of random weights on the device, beside the processor."""

    def __init__(self, world: World, device: torch.device, amount: Amount) -> None:
        self._world, self._device, self._amount = world, device, amount
        self._card = self._model().card
        self.arch = self._card.arch
        self._flop = _flop(self._model())
        self._by_cpu = self._scanned(CPU, amount.equal, amount.batch)

    def measurements(self) -> Iterator[Measurement]:
        """All stages that compute on a device, one after the other."""
        yield self._scan()
        yield self._ready_scan()
        yield self._scan_with_little_memory()
        yield self._projections()
        yield self._evaluation()

    def _scan(self) -> Measurement:
        amount, device = self._amount, self._device
        seconds, _ = wall(lambda: self._scanned(device, amount.images, amount.batch), device)
        found = self._scanned(device, amount.equal, amount.batch)
        beside = statistics_beside(found, self._by_cpu)
        rate = amount.images / seconds
        return Measurement("scan, files to records", rate, self._flop, memory_mib(device), beside)

    def _ready_scan(self) -> Measurement:
        """The same without reading and decoding: one batch of squares again and again."""
        amount, model = self._amount, self._model()
        squares = self._squares()[: amount.batch]
        forward = Forward.of_layers(model, self._world.layers, len(squares), self._device)
        layers = empty_statistics(model.graph, self._world.layers, 9, model.card.classes)
        labels, batches = np.zeros(len(squares), np.int64), amount.images // len(squares)

        def work() -> None:
            for batch in range(batches):
                rows = np.arange(len(squares), dtype=np.int32) + np.int32(batch * len(squares))
                size = forward.slice_images
                for peaks in peaks_of_batch(layers, forward, rows, squares, size).values():
                    peaks.close(labels)

        seconds, _ = wall(work, self._device)
        rate = batches * len(squares) / seconds
        return Measurement("scan, images ready", rate, self._flop, memory_mib(self._device), "")

    def _scan_with_little_memory(self) -> Measurement:
        """A batch of all images, whose maps do not fit: it must be halved, at equal results."""
        images, device = self._amount.equal, self._device
        with _little_memory(device):
            found = self._scanned(device, images, images)
        what = f"scan, {images} images a batch, {LITTLE_MIB} MiB free"
        beside = statistics_beside(found, self._by_cpu)
        return Measurement(what, None, None, memory_mib(device), beside)

    def _projections(self) -> Measurement:
        """Nine of some channels of every layer, the forward passes for their switches included."""
        channels, device, graph = self._amount.channels, self._device, self._card.graph()
        many, few = self._chunk(channels, 9), self._chunk(channels // 10, 1)
        inputs, projector = self._inputs(device), self._projector(device)
        configure_matmul(device, tf32=False)
        seconds, _ = wall(lambda: _projected(graph, projector, many, inputs, device), device)
        mib, count = memory_mib(device), sum(map(len, many.values()))
        ours = _projected(graph, projector, few, inputs, device)
        theirs = _projected(graph, self._projector(CPU), few, self._inputs(CPU), CPU)
        beside = projections_beside(ours, theirs)
        return Measurement(f"{count:,} projections", count / seconds, None, mib, beside)

    def _evaluation(self) -> Measurement:
        images, device = self._amount.equal, self._device
        seconds, ours = wall(lambda: self._probabilities(device), device)
        mib, difference = memory_mib(device), np.abs(ours - self._probabilities(CPU)).max()
        beside = f"probabilities differ by at most {difference:.1g}"
        flop, rate = 10 * self._flop, images / seconds
        return Measurement("evaluate, ten crops", rate, flop, mib, beside)

    def _model(self) -> Model:
        return load_model(self._world.folder / "model")

    def _scanned(self, device: torch.device, images: int, batch: int) -> Statistics:
        scan = self._world.scan(images, batch)
        with (
            tempfile.TemporaryDirectory() as state,
            cluster.workers(None, 0, device) as pool,
        ):
            return scan.run(pool, Path(state) / "checkpoint")

    def _images(self) -> ImageStore:
        return open_images(self._world.folder / "photos")

    def _squares(self) -> list[np.ndarray]:
        images, listed = self._images(), self._world.listed(self._amount.equal)
        return [load_verified(images, row, *self._card.framing) for row in listed]

    def _inputs(self, device: torch.device) -> dict[int, Tensor]:
        normalise = self._model().normalisation
        pixels = [torch.tensor(square).permute(2, 0, 1)[None] for square in self._squares()]
        return {row: normalise(one.to(device)) for row, one in enumerate(pixels)}

    def _chunk(self, channels: int, ranks: int) -> Chunk:
        """The first entries of the first channels of every layer, as the processor found them."""
        chunk = {}
        for layer, statistics in self._by_cpu.items():
            found = statistics.result()
            image, cell, activation = (
                found[name].values[:channels] for name in ("image", "cell", "activation")
            )
            chunk[layer] = present_entries(image[:, :ranks], cell, activation)
        return chunk

    def _projector(self, device: torch.device) -> Projector:
        model = self._model()
        methods = {layer: method_of(model.graph, layer, "auto") for layer in self._world.layers}
        finite = is_overflow_safe(model, [model.graph.output])
        return Projector(model.network.to(device), methods, 64, finite=finite)

    def _probabilities(self, device: torch.device) -> np.ndarray:
        listed = self._world.listed(self._amount.equal)
        found = evaluate(
            self._model(),
            self._images(),
            listed,
            ten=True,
            device=device,
            threads=8,
            advance=no_progress,
        )
        assert found.ten_crops is not None
        return found.ten_crops


def _projected(
    graph: Graph,
    projector: Projector,
    chunk: Chunk,
    inputs: dict[int, Tensor],
    device: torch.device,
) -> Projections:
    """A chunk's projections, in pieces of bounded memory."""
    found = {}
    sizes = {layer: prod(receptive_field(graph, layer).size) * 6 for layer in chunk}
    for piece in entry_chunks(chunk, sizes):
        for layer, values in projector(piece, inputs, device).items():
            pictures, scales = values.arrays["projection"], values.arrays["scale"]
            for place, key in enumerate(zip(values.channel, values.rank, strict=True)):
                picture = pictures[place].astype(np.float32) * scales[place]
                found[layer, int(key[0]), int(key[1])] = picture
    return found


def _flop(model: Model) -> int:
    """Floating-point operations of an image, the whole network."""
    image = torch.zeros(1, 3, model.card.crop, model.card.crop)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        model.network(image)
    return int(counter.get_total_flops())


def memory_mib(device: torch.device) -> float | None:
    """The most memory of the card held since the last call; None of a processor."""
    if device.type != "cuda":
        return None
    peak = torch.cuda.max_memory_allocated(device) / 2**20
    torch.cuda.reset_peak_memory_stats(device)
    return peak


@contextmanager
def _little_memory(device: torch.device) -> Iterator[None]:
    """Leave a card little memory; a processor keeps its own."""
    if device.type != "cuda":
        yield
        return
    torch.cuda.empty_cache()
    held = torch.cuda.memory_reserved(device) + LITTLE_MIB * 2**20
    share = held / torch.cuda.get_device_properties(device).total_memory
    torch.cuda.set_per_process_memory_fraction(share)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
