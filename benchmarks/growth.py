"""`python -m benchmarks.growth`: ten million partial results through the scan's merge.

The partial results are made up; the merge, the bookkeeping of chunks and the ledger on disk are
the real ones. Time and memory per million must not grow.
"""

import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from pipeline.scan.chunks import chunk_images
from pipeline.scan.ledger import Ledger
from pipeline.scan.tally import LayerTally, empty_tally
from pipeline.scan.top import Entries

RANKS = 9
CLASSES = 1_000
SAVE_EVERY_S = 10.0


@dataclass(frozen=True)
class Mark:
    """One line: after so many partial results."""

    parts: int
    s_per_million: float
    """CPU seconds, of the parts since the last mark."""
    peak_mib: float
    """The most memory that the process ever held."""


def marks(parts: int, every: int, channels: int) -> Iterator[Mark]:
    """Merge partial results; a mark after every so many."""
    ledger = Ledger(
        {"conv": empty_tally(channels, RANKS, signed=False)}, np.zeros(parts, dtype=bool)
    )
    made = made_up(channels)
    start, saved = time.process_time(), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(parts):
            part = made[number % len(made)]
            part.top.image[:, 0] = number
            ledger.take(number, {"conv": part})
            if time.monotonic() - saved > SAVE_EVERY_S:
                ledger.save(Path(folder) / "ledger.npz")
                saved = time.monotonic()
            if (number + 1) % every == 0:
                now = time.process_time()
                peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
                yield Mark(number + 1, (now - start) / every * 1e6, peak_mib)
                start = now
    assert ledger.finished.all()
    assert int(ledger.tallies["conv"].histogram.counts[0].sum()) == parts


def made_up(channels: int) -> list[LayerTally]:
    """A thousand tallies of one image each, one per class, with ties; their rows are still open."""
    chance = np.random.default_rng(0)
    parts = []
    for label in range(CLASSES):
        tally = empty_tally(channels, RANKS, signed=False)
        peaks = chance.integers(1, 100_000, (1, channels)).astype(np.float32)
        cells, rows = np.zeros((channels, 2), np.int32), np.zeros(channels, np.int32)
        entries = Entries(np.arange(channels), peaks[0], rows, cells)
        tally.add(entries, peaks, np.array([label]))
        parts.append(tally)
    return parts


@click.command()
@click.option("--parts", default=10_000_000, show_default=True, help="Partial results.")
@click.option("--marks", "count", default=10, show_default=True, help="Lines printed.")
@click.option("--channels", default=8, show_default=True, help="Channels of the layer.")
def main(parts: int, count: int, channels: int) -> None:
    """Print time and memory while partial results are merged."""
    click.echo("| partial results | CPU s per million | peak memory, MiB |\n| ---: | ---: | ---: |")
    for mark in marks(parts, parts // count, channels):
        click.echo(f"| {mark.parts:,} | {mark.s_per_million:.0f} | {mark.peak_mib:.0f} |")
    images = parts * chunk_images(10**9, 32)
    click.echo(f"\nAs chunks of a billion images' size these would be {images:.1e} images.")


if __name__ == "__main__":
    main()
