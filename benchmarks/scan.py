"""The scan: images per second against a plain eager loop, its memory, and what Dask costs."""

import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

from benchmarks.memory import alone, peak_mib
from benchmarks.row import Row
from pipeline.compute import cluster
from pipeline.compute.cluster import J, K, Pool, R, Task
from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import FolderStore
from pipeline.network.architectures import build_chain
from pipeline.network.model import ModelCard, load_card, save_model
from pipeline.network.module import Network
from pipeline.params import ScanParams
from pipeline.scan.scan import Scan, plan_scan
from pipeline.storage.hashing import sha256_of

LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")
BATCH = 32
CLASSES = tuple(f"class {number}" for number in range(100))
PHOTOS = 200
"""Files drawn; larger data sets list each several times."""


def rows(quick: bool) -> list[Row]:
    """The scan's rows: rates taken in turns with the eager loop's, and memory."""
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(Path(folder))
        return [
            *_rate_rows(world, (600,) if quick else (600, 5_000), repeats=1 if quick else 3),
            _overhead_row(world, 192 if quick else 600, repeats=1 if quick else 3),
            _memory_row(world, (64, 640) if quick else (600, 6_000)),
        ]


@dataclass(frozen=True)
class World:
    """A network of random weights, the full-width ZFNet, and JPEG files like photographs."""

    folder: Path
    layers: tuple[str, ...] = LAYERS

    def scan(self, images: int) -> Scan:
        """A scan of so many images."""
        params = ScanParams(layers=self.layers, top=9, batch_size=BATCH, tf32=False)
        model = self.folder / "model"
        store = FolderStore(self.folder / "photos")
        return plan_scan(params, load_card(model), model, self.listed(images), store)

    def listed(self, images: int) -> list[ImageRow]:
        """So many images of all classes; files are listed several times where there are fewer."""
        photos = self._photos
        return [
            replace(photos[n % len(photos)], label=CLASSES[n * len(CLASSES) // images])
            for n in range(images)
        ]

    @cached_property
    def _photos(self) -> list[ImageRow]:
        files = sorted((self.folder / "photos").iterdir())
        return [ImageRow("val", file.name, "", 0, 0, sha256_of(file)) for file in files]


def make_world(folder: Path) -> World:
    """Write the model and the photographs into an empty folder."""
    write_photographs(folder, PHOTOS)
    (folder / "model").mkdir()
    card = ModelCard(
        arch="zfnet",
        width=1.0,
        classes=CLASSES,
        resize=256,
        crop=224,
        mean=(120.0, 115.0, 105.0),
        scale=1 / 58,
        seed=0,
        epochs_trained=0,
        weights_sha256="",
        manifest_sha256="",
    )
    generator = torch.Generator().manual_seed(0)
    network = Network(build_chain("zfnet", len(CLASSES), 224))
    weights = {
        name: torch.randn(p.shape, generator=generator) * (2 / p[0].numel()) ** 0.5
        if p.ndim > 1
        else torch.zeros(p.shape)
        for name, p in network.named_parameters()
    }
    save_model(folder / "model", card, weights)
    return World(folder)


def write_photographs(folder: Path, count: int) -> None:
    """Write photographs into a new folder `photos`."""
    (folder / "photos").mkdir()
    chance = np.random.default_rng(0)
    for number in range(count):
        photograph(chance).save(folder / "photos" / f"{number:04}.jpg", quality=90)


def photograph(chance: np.random.Generator) -> Image.Image:
    """A picture of 500 × 375 with detail at every scale, as in ImageNet's."""
    picture = np.zeros((375, 500, 3))
    for side in (2, 4, 8, 16, 32, 64, 128):
        noise = chance.normal(size=(side * 3 // 4 + 1, side, 3)) * 128 / side**0.8
        octave = [
            Image.fromarray(noise[..., colour].astype(np.float32)).resize((500, 375))
            for colour in range(3)
        ]
        picture += np.stack([np.asarray(band) for band in octave], axis=-1)
    return Image.fromarray(np.clip(picture / 2 + 120, 0, 255).astype(np.uint8))


def eager_network() -> nn.Sequential:
    """ZFNet to conv5 as one would write it, NCHW, contrast norm by torch's module."""
    pool, norm = partial(nn.MaxPool2d, 3, 2, ceil_mode=True), partial(nn.LocalResponseNorm, 5, 5e-4)
    return nn.Sequential(
        *(nn.Conv2d(3, 96, 7, 2), nn.ReLU(), pool(), norm(beta=0.75, k=2.0)),
        *(nn.Conv2d(96, 256, 5, 2), nn.ReLU(), pool(), norm(beta=0.75, k=2.0)),
        *(nn.Conv2d(256, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 384, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(384, 256, 3, padding=1), nn.ReLU()),
    ).eval()


@torch.inference_mode()
def eager_rate(network: nn.Module, batches: int) -> float:
    """Images per second of the plain loop over a tensor that is ready, with all threads."""
    inputs = torch.randn(BATCH, 3, 225, 225)
    network(inputs)
    start = time.perf_counter()
    for _ in range(batches):
        network(inputs)
    return batches * BATCH / (time.perf_counter() - start)


def scan_rate(world: World, images: int) -> float:
    """Images per second of a whole scan: start of Dask, reading, top nine, statistics."""
    scan = world.scan(images)
    with tempfile.TemporaryDirectory() as state:
        start = time.perf_counter()
        with cluster.workers(None, 0, torch.device("cpu")) as pool:
            scan.run(pool, Path(state) / "checkpoint")
        return images / (time.perf_counter() - start)


def _rate_rows(world: World, sizes: tuple[int, ...], repeats: int) -> Iterator[Row]:
    """Both rates in turns, so that whatever else the machine does hits both; their medians."""
    network = eager_network()
    for images in sizes:
        pairs = []
        for _ in range(repeats):
            before = eager_rate(network, 6)
            ours = scan_rate(world, images)
            pairs.append((ours, (before + eager_rate(network, 6)) / 2))
        ours, eager = np.median(np.array(pairs), axis=0)
        yield Row(
            f"scan of {images:,} images, files to records",
            "a plain eager loop to conv5 over ready tensors",
            float(ours / eager),
            "×",
            1.5 if images < 5_000 else 2.0,
            "higher",
            f"{ours:.1f} against {eager:.1f} images/s",
        )


def _overhead_row(world: World, images: int, repeats: int) -> Row:
    """The same tasks through Dask and in a loop, one thread, in turns: the least CPU seconds."""
    scan, threads = world.scan(images), torch.get_num_threads()
    torch.set_num_threads(1)
    turns = [(_dask_s(scan), _loop_s(scan)) for _ in range(repeats + 1)]
    torch.set_num_threads(threads)
    dask, loop = np.array(turns[1:]).min(axis=0).tolist()
    return Row(
        f"scan of {images:,} images through Dask on this machine",
        "the same tasks and merges in a plain loop",
        dask / loop,
        "×",
        1.05,
        "lower",
        f"{dask:.1f} against {loop:.1f} CPU seconds of this process, Dask's start included",
    )


def _dask_s(scan: Scan) -> float:
    start = time.process_time()
    with cluster.workers(None, 0, torch.device("cpu"), cores=1) as pool:
        _scanned(scan, pool)
    return time.process_time() - start


def _loop_s(scan: Scan) -> float:
    start = time.process_time()
    _scanned(scan, _Loop())
    return time.process_time() - start


def _scanned(scan: Scan, pool: Pool) -> None:
    with tempfile.TemporaryDirectory() as state:
        scan.run(pool, Path(state) / "checkpoint")


class _Loop(Pool):
    """The pool without Dask: one task after the other, here."""

    def __init__(self) -> None:
        pass

    def run(self, task: Task[J, R], jobs: Iterable[tuple[K, J]]) -> Iterator[tuple[K, R]]:
        """Run each job as its turn comes."""
        for key, job in jobs:
            yield key, task(job, torch.device("cpu"))


def _memory_row(world: World, sizes: tuple[int, int]) -> Row:
    few, many = (alone(_peak_mib, world, images) for images in sizes)
    return Row(
        f"peak memory of a scan of {sizes[1]:,} images",
        f"of {sizes[0]:,} images",
        many / few,
        "×",
        1.05,
        "lower",
        f"{many:.0f} against {few:.0f} MiB, each in a process of its own",
    )


def _peak_mib(world: World, images: int) -> float:
    scan_rate(world, images)
    return peak_mib()
