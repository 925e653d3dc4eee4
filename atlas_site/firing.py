"""The activation maps of the entries, as data that the pages unpack.

A page opened from disk may show a picture file but not read it, and the value under the pointer
must be read; so the maps are scripts, deflated and in base64.
"""

import zlib
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from atlas_site.script import data_script, rounded_rows
from pipeline.atlas import Run

FILE_BYTES = 1 << 20
"""Of the maps in one file, before they are deflated."""
MOST_CHANNELS = 16


@dataclass(frozen=True)
class FiringMaps:
    """A layer's activation maps, and the files that they are in."""

    rows: int
    cols: int
    channels: int
    """In one file."""


def firing_maps(atlas: Run, layer: str) -> FiringMaps | None:
    """A layer's maps; None where the store has none, or where they are of one cell."""
    rows, cols = atlas.graph.layer(layer).size
    if rows * cols == 1 or atlas.pictures.activation_maps(layer, slice(0, 1)) is None:
        return None
    channel_bytes = rows * cols * atlas.scan(layer).image.shape[1]
    return FiringMaps(rows, cols, max(1, min(MOST_CHANNELS, FILE_BYTES // channel_bytes)))


def firing_facts(key: str, maps: FiringMaps | None) -> Mapping[str, object] | None:
    """What a page needs to find a map; in `src` a number replaces the braces."""
    if maps is None:
        return None
    return {
        "rows": maps.rows,
        "cols": maps.cols,
        "channels": maps.channels,
        "src": _name(key, "{}"),
    }


@dataclass(frozen=True)
class FiringJob:
    """The maps of the channels of one file."""

    layer: str
    key: str
    channels: int
    number: int

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        first = self.number * self.channels
        found = atlas.pictures.activation_maps(self.layer, slice(first, first + self.channels))
        assert found is not None
        levels, ends = found
        name = _name(self.key, self.number)
        value = {
            "levels": b64encode(zlib.compress(levels.tobytes(), 9)).decode("ascii"),
            "ends": rounded_rows(ends.reshape(-1, 2)),
        }
        (out / "data" / f"{name}.js").write_text(data_script(name, value), encoding="ascii")
        return 0


def _name(key: str, number: int | str) -> str:
    return f"firing/{key}-{number}"
