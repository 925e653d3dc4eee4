"""The scan against what else one could use: a compiled network, and zennit-crp's top nine."""

import contextlib
import os
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from crp.attribution import CondAttribution
from crp.concepts import ChannelConcept
from crp.visualization import FeatureVisualization
from torch import Tensor, nn

from benchmarks.row import Row
from benchmarks.scan import eager_network, scan_rate
from benchmarks.world import BATCH, LAYERS, World, make_world
from pipeline.compute import cluster
from pipeline.dataset.framing import centre_square
from pipeline.dataset.images import load_image
from pipeline.network.model import load_model
from pipeline.scan.forward import Forward


def rows(quick: bool) -> Iterator[Row]:
    """One row per peer; none in a quick run, for which they take too long."""
    if quick:
        return
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        yield _zennit_row(world, 192)
        yield _compiled_row(world)


def _zennit_row(world: World, images: int) -> Row:
    """Files to nine images per channel by both, all cores, in turn; and whether they agree."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        theirs = _zennit_nine(world, images, folder)
        their_rate = images / (time.perf_counter() - start)
    our_rate = scan_rate(world, images)
    ours = _our_nine(world, images)
    pairs = [(o, t) for layer in LAYERS for o, t in zip(ours[layer], theirs[layer], strict=True)]
    same = sum(bool((o == t).all()) for o, t in pairs)
    return Row(
        f"scan of {images} images, files to records",
        "zennit-crp's FeatureVisualization, activation and relevance maxima",
        our_rate / their_rate,
        "×",
        1,
        "higher",
        f"{our_rate:.1f} against {their_rate:.1f} images/s; the same nine images in the same "
        f"order for {same:,} of {len(pairs):,} channels",
    )


class _Photos:
    """The benchmark's files as network inputs; zennit-crp wants a label with each."""

    def __init__(self, world: World, images: int) -> None:
        self._model = load_model(world.folder / "model")
        self._paths = sorted((world.folder / "photos").iterdir())[:images]

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        card = self._model.card
        image = load_image(self._paths[index].read_bytes())
        pixels = torch.from_numpy(centre_square(image, card.resize, card.crop))
        normalised = self._model.normalisation(pixels.movedim(-1, 0)[None])[0]
        # The padding that conv1's last windows reach into (tests hold it against the network's).
        return nn.functional.pad(normalised, (0, 1, 0, 1)), 0


def _zennit_nine(world: World, images: int, folder: str) -> dict[str, np.ndarray]:
    """Image rows (channel, rank) by layer, as zennit-crp finds them."""
    network = eager_network()
    convs = [module for module in network if isinstance(module, nn.Conv2d)]
    named = load_model(world.folder / "model").network
    for layer, conv in zip(LAYERS, convs, strict=True):
        conv.load_state_dict({kind: named.tensor(f"{layer}.{kind}") for kind in ("weight", "bias")})
    scored = nn.Sequential(*network, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(256, 2))
    names = [name for name, module in scored.named_modules() if isinstance(module, nn.ReLU)]
    with (
        open(os.devnull, "w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(action="ignore"),
    ):
        search = FeatureVisualization(
            CondAttribution(scored.eval()),
            _Photos(world, images),
            {name: ChannelConcept() for name in names},
            max_target="max",
            abs_norm=False,
            path=folder,
        )
        files = search.run(None, 0, images, BATCH)["a_max"]
    found = {Path(name).name.removesuffix("_"): np.load(f"{name}data.npy") for name in files}
    return {layer: found[name][:9].T for layer, name in zip(LAYERS, names, strict=True)}


def _our_nine(world: World, images: int) -> dict[str, np.ndarray]:
    with (
        tempfile.TemporaryDirectory() as state,
        cluster.workers(None, 0, torch.device("cpu")) as pool,
    ):
        records = world.scan(images).run(pool, Path(state) / "ledger.npz")
    return {layer: records[layer].result()["image"].values for layer in LAYERS}


def _compiled_row(world: World) -> Row:
    """The forward pass of the scan, a batch per core, against one compiled for all cores."""
    model = load_model(world.folder / "model")
    threads = torch.get_num_threads()
    ours = Forward.of_layers(model, LAYERS, BATCH, torch.device("cpu"))
    chance = np.random.default_rng(0)
    squares = list(chance.integers(0, 256, (BATCH, 224, 224, 3), dtype=np.uint8))
    compiled, compile_s = _compiled(threads)

    def batch() -> None:
        for _ in ours.run(iter(squares), BATCH):
            pass

    rates = []
    for _ in range(3):
        theirs = _rate(compiled, 6)
        torch.set_num_threads(1)
        rates.append((_rate(lambda: _at_once(batch, threads), 6) * threads, theirs))
        torch.set_num_threads(threads)
    our_rate, their_rate = np.median(np.array(rates), axis=0)
    return Row(
        "the scan's forward pass alone",
        "torch.compile with frozen weights, channels last",
        float(our_rate / their_rate),
        "×",
        1,
        "higher",
        f"{our_rate:.1f} against {their_rate:.1f} images/s, after {compile_s:.0f} s of compiling",
    )


def _compiled(threads: int) -> tuple[Callable[[], object], float]:
    """The plain network, compiled for one batch, and what that took."""
    import torch._inductor.config as inductor

    torch.set_num_threads(threads)
    inputs = torch.randn(BATCH, 3, 225, 225).contiguous(memory_format=torch.channels_last)
    network = torch.compile(eager_network().to(memory_format=torch.channels_last))

    def run() -> object:
        with torch.no_grad(), inductor.patch(freezing=True, force_disable_caches=True):
            return network(inputs)

    start = time.perf_counter()
    run()
    return run, time.perf_counter() - start


def _rate(work: Callable[[], object], batches: int) -> float:
    work()
    start = time.perf_counter()
    for _ in range(batches):
        work()
    return batches * BATCH / (time.perf_counter() - start)


def _at_once(work: Callable[[], object], threads: int) -> None:
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
