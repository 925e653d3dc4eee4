"""`python -m benchmarks.contrast WORKSPACE`: how well a run's projections are seen, by layer."""

import statistics
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
from jaxtyping import Float32

from atlas_site.contrast import by_largest, contrast
from atlas_site.display import to_grey
from pipeline.atlas import Run, open_atlas
from pipeline.errors import AtlasError
from pipeline.workspace import Workspace

CHUNK = 32
HEAD = ("layer", "tiles", "divided by the largest value", "the display rule", "clipped")


@click.command()
@click.argument("workspace", type=click.Path(file_okay=False, path_type=Path))
def main(workspace: Path) -> None:
    """Print the table of docs/results.md: the median over all tiles of the standard deviation of
    their grey levels in the energetic part, and the share of pixels that are clipped."""
    try:
        run = open_atlas(Workspace(workspace).artifacts)
        lines = [_line(run, layer) for layer in run.layers]
    except AtlasError as error:
        raise click.ClickException(str(error)) from None
    for line in (HEAD, ("---",) * len(HEAD), *lines):
        click.echo(f"| {' | '.join(line)} |")


def _line(run: Run, layer: str) -> tuple[str, ...]:
    before, now = [], []
    for tile in tiles(run, layer):
        before.append(contrast(tile, by_largest(tile)).deviation)
        now.append(contrast(tile, to_grey(tile)))
    if not now:
        return layer, "0", "", "", ""
    seen = statistics.median(one.deviation for one in now)
    clipped = statistics.fmean(one.clipped for one in now)
    numbers = f"{statistics.median(before):.1f}", f"{seen:.1f}", f"{100 * clipped:.2g} %"
    return layer, f"{len(now):,}", *numbers


def tiles(run: Run, layer: str) -> Iterator[Float32[np.ndarray, "row col 3"]]:
    """The projections of all channels of a layer, but for those without any signal."""
    scales = run.pictures.scales(layer)
    for first in range(0, len(scales), CHUNK):
        part = slice(first, first + CHUNK)
        pictures = run.pictures.read(layer, part).projection.astype(np.float32)
        yield from pictures[scales[part] > 0]


if __name__ == "__main__":
    main()
