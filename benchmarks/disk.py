"""`python -m benchmarks.disk`: what stored projections take, by rounding, codec, level and shard.

Bytes, seconds and errors side by side, of real projections of two layers of full-width ZFNet at
224 pixels; its weights are random, its images like photographs.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import click
import numpy as np
import torch
import zarr
from jaxtyping import Float16
from torch import Tensor
from zarr.codecs import BloscCodec, Crc32cCodec, ZstdCodec

from benchmarks.machine import description
from benchmarks.world import World, make_world
from pipeline.atlas.chunks import entry_chunks
from pipeline.atlas.layer_entries import present_entries
from pipeline.compute import cluster
from pipeline.dataset.store import FolderStore
from pipeline.dataset.verified import load_verified
from pipeline.network.model import load_model
from pipeline.network.receptive_field import receptive_field
from pipeline.project.projector import Projector
from pipeline.storage.stores import SHARD_CHANNELS

CPU = torch.device("cpu")
RANKS = 9
HEAD = ("layer", "rounding", "codec", "channels a chunk, a shard", "of the raw bytes", "write s",
        "read s", "error")  # fmt: skip
Pictures = Float16[np.ndarray, "channel rank row col 3"]


@dataclass(frozen=True)
class Choice:
    """One way to store pictures."""

    codec: ZstdCodec | BloscCodec
    label: str
    rounding: str = "none"
    chunk: int = 1
    """Channels."""
    shard: int = SHARD_CHANNELS
    """Channels."""


def zstd(level: int, **differs: object) -> Choice:
    """Zstandard alone."""
    return Choice(ZstdCodec(level=level), f"zstd {level}", **differs)  # type: ignore[arg-type]


def bits(level: int, rounding: str = "none") -> Choice:
    """Zstandard over shuffled bits."""
    codec = BloscCodec(cname="zstd", clevel=level, shuffle="bitshuffle", typesize=2)
    return Choice(codec, f"bit shuffle, zstd {level}", rounding)


CHOICES = (
    zstd(0),
    zstd(1),
    zstd(9),
    zstd(19),
    zstd(0, shard=128),
    zstd(0, chunk=4),
    bits(5),
    bits(9),
    zstd(0, rounding="7 bits"),
    bits(5, "7 bits"),
    zstd(0, rounding="grid"),
    zstd(9, rounding="grid"),
    bits(5, "grid"),
    bits(9, "grid"),
)
"""The first is today's."""
GRID_ERROR = 1.9e-3
"""Relative L2; float16 itself adds 2e-4, as the root of the sum of squares."""


@click.command()
@click.option("--quick", is_flag=True, help="Fewer channels of a narrow network.")
def main(quick: bool) -> None:
    """Print the table as Markdown."""
    click.echo(f"Measured on {description()}{' (quick)' if quick else ''}.\n")
    for cells in (HEAD, ("---",) * len(HEAD), *rows(quick)):
        click.echo(f"| {' | '.join(cells)} |")


def rows(quick: bool) -> Iterator[tuple[str, ...]]:
    """The table's lines, layer by layer."""
    layers, channels = ("conv3", "conv5"), 8 if quick else 128
    with tempfile.TemporaryDirectory() as folder:
        world = make_world(
            Path(folder) / "world", width=0.125 if quick else 1.0, photos=16 if quick else 100
        )
        for layer, pictures in projections(world, layers, channels).items():
            for choice in CHOICES:
                yield layer, *stored(pictures, choice, Path(folder) / "store.zarr")


def projections(world: World, layers: Sequence[str], channels: int) -> dict[str, Pictures]:
    """The projections of the first channels of some layers, as the store has them."""
    model, count = (
        load_model(world.folder / "model"),
        len(list((world.folder / "photos").iterdir())),
    )
    with tempfile.TemporaryDirectory() as state, cluster.workers(None, 0, CPU) as pool:
        found = World(world.folder, tuple(layers)).scan(count).run(pool, Path(state) / "checkpoint")
    projector = Projector(model.network, dict.fromkeys(layers, "deconvnet"), 16, finite=True)
    store, made = FolderStore(world.folder / "photos"), {}
    inputs: dict[int, Tensor] = {
        row: model.input_of(load_verified(store, image, *model.card.framing))[None]
        for row, image in enumerate(world.listed(count))
    }
    for layer in layers:
        arrays = {name: one.values[:channels] for name, one in found[layer].result().items()}
        entries = present_entries(*(arrays[name] for name in ("image", "cell", "activation")))
        size = receptive_field(model.graph, layer).size
        pictures = np.zeros((channels, RANKS, *size, 3), np.float16)
        for piece in entry_chunks({layer: entries}, {layer: prod(size) * 6}):
            values = projector(piece, inputs, CPU)[layer]
            pictures[values.channel, values.rank] = values.arrays["projection"]
        made[layer] = pictures
    return made


def stored(pictures: Pictures, choice: Choice, path: Path) -> tuple[str, ...]:
    """What a way to store pictures takes, and its error."""
    kept = rounded(pictures, choice.rounding)
    shape = pictures.shape
    start = time.perf_counter()
    array = zarr.create_array(
        path,
        shape=shape,
        dtype="float16",
        chunks=(choice.chunk, *shape[1:]),
        shards=(choice.shard, *shape[1:]),
        compressors=[choice.codec, Crc32cCodec()],
        overwrite=True,
    )
    for first in range(0, len(kept), choice.shard):
        array[first : first + choice.shard] = kept[first : first + choice.shard]
    written = time.perf_counter()
    again = np.asarray(array[...])
    read = time.perf_counter()
    assert np.array_equal(again, kept)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return (
        choice.rounding,
        choice.label,
        f"{choice.chunk}, {choice.shard}",
        f"{size / pictures.nbytes:.3f}",
        f"{written - start:.2f}",
        f"{read - written:.2f}",
        f"{largest_error(again, pictures):.2g}",
    )


def rounded(pictures: Pictures, rounding: str) -> Pictures:
    """Pictures with fewer bits; they stay float16."""
    if rounding == "none":
        return pictures
    if rounding == "grid":
        return np.stack([_gridded(picture) for picture in pictures.reshape(-1, *pictures.shape[2:])]
                        ).reshape(pictures.shape)  # fmt: skip
    drop = 10 - int(rounding.split()[0])
    half = np.uint16(1 << (drop - 1))
    return ((pictures.view(np.uint16) + half) & np.uint16(0xFFFF << drop & 0xFFFF)).view(np.float16)


def _gridded(picture: Float16[np.ndarray, "row col 3"]) -> Float16[np.ndarray, "row col 3"]:
    """A picture on the coarsest grid of multiples of a power of two whose error is allowed."""
    exact = picture.astype(np.float32)
    for power in range(5, 12):
        step = np.float32(2.0**-power)
        found = np.round(exact / step) * step
        if np.linalg.norm(found - exact) <= GRID_ERROR * np.linalg.norm(exact):
            return found.astype(np.float16)
    return picture


def largest_error(found: Pictures, exact: Pictures) -> float:
    """The largest relative L2 error of a picture."""
    worst = 0.0
    for one, other in zip(found, exact, strict=True):  # a channel at a time, for memory
        apart = (one.astype(np.float32) - other).reshape(RANKS, -1)
        length = np.linalg.norm(other.astype(np.float32).reshape(RANKS, -1), axis=1)
        ratio = np.linalg.norm(apart, axis=1) / np.maximum(length, 1e-30)
        worst = max(worst, float(ratio.max()))
    return worst


if __name__ == "__main__":
    main()
