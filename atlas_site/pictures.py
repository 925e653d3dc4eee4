"""From arrays to the site's pictures: tiles, blocks of tiles, WebP."""

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float16, Int32, Shaped, UInt8
from PIL import Image

from atlas_site.display import MID_GREY, to_grey
from atlas_site.sprites import Grid
from pipeline.atlas import Run

LARGEST_TILE_PX = 144
SMALLEST_LOSSY_PX = 64
THUMB_PX = 56
EXAMPLE_PX = 112
LARGEST_PIXELATED_PX = 16
QUALITY = 84


@dataclass(frozen=True)
class TileSize:
    """The side of a layer's tiles, in pixels, for one receptive field."""

    field: int
    """The field's side, in input pixels."""

    @property
    def pixelated(self) -> bool:
        """Whether the field is so small that its pixels are shown as squares, losslessly."""
        return self.field <= LARGEST_PIXELATED_PX

    @property
    def sprite(self) -> int:
        """In the sprite of one channel: the field's own side, within reason.

        Small fields are enlarged, since WebP keeps colour at half the resolution.
        """
        if self.pixelated:
            return self.field
        factor = math.ceil(SMALLEST_LOSSY_PX / self.field)
        return min(LARGEST_TILE_PX, self.field * factor)

    @property
    def thumb(self) -> int:
        """In the sheets of many channels."""
        return self.field if self.pixelated else THUMB_PX

    @property
    def example(self) -> int:
        """In the sheets of examples."""
        return min(self.sprite, EXAMPLE_PX)


def tile_size(atlas: Run, layer: str) -> TileSize:
    """How large the pictures of a layer are shown."""
    return TileSize(max(atlas.field(layer).size))


def grid_side(top: int) -> int:
    """Tiles along the side of a square block that holds a channel's entries."""
    return math.ceil(math.sqrt(top))


def grey_outside(
    crops: UInt8[np.ndarray, "rank row col 3"],
    boxes: Int32[np.ndarray, "rank 4"],
    input_px: int,
    reduction: int = 1,
) -> UInt8[np.ndarray, "rank row col 3"]:
    """Crops whose pixels outside the image are mid grey, the colour of nothing.

    One of their pixels stands for `reduction` of the image's along each side.
    """
    shown = np.full_like(crops, MID_GREY)
    for tile, crop, (top, left, bottom, right) in zip(shown, crops, boxes.tolist(), strict=True):
        if bottom > top and right > left:
            rows, cols = (
                slice(max(0, -first) // reduction, -(-max(0, input_px - first) // reduction))
                for first in (top, left)
            )
            tile[rows, cols] = crop[rows, cols]
    return shown


def projection_tiles(
    projections: Float16[np.ndarray, "rank row col 3"], px: int
) -> UInt8[np.ndarray, "rank side side 3"]:
    """Projections as tiles of side `px`: made square, resized, then drawn by the display rule.

    Resized as signals, so that a thumbnail has the contrast of a large tile.
    """
    return to_grey(resized(squared(projections.astype(np.float32), 0), px))


def squared(
    tiles: Shaped[np.ndarray, "rank row col 3"], fill: int
) -> Shaped[np.ndarray, "rank side side 3"]:
    """Tiles padded around their middle to squares."""
    rows, cols = tiles.shape[1:3]
    side = max(rows, cols)
    top, left = (side - rows) // 2, (side - cols) // 2
    edges = (0, 0), (top, side - rows - top), (left, side - cols - left), (0, 0)
    return np.pad(tiles, edges, constant_values=fill)


def resized(
    tiles: Shaped[np.ndarray, "rank row row 3"], side: int
) -> Shaped[np.ndarray, "rank side side 3"]:
    """Tiles of another size, each by itself so that neighbours do not bleed."""
    if tiles.shape[1] == side:
        return tiles
    return np.stack([_resized(tile, side) for tile in tiles])


def _resized(tile: Shaped[np.ndarray, "row row 3"], side: int) -> Shaped[np.ndarray, "side side 3"]:
    """Colours or a signal; Pillow knows signals as planes of one channel only."""
    if tile.dtype == np.uint8:
        planes = [Image.fromarray(tile)]
    else:
        planes = [Image.fromarray(np.ascontiguousarray(tile[..., c])) for c in range(3)]
    sized = [np.asarray(p.resize((side, side), Image.Resampling.LANCZOS)) for p in planes]
    return sized[0] if len(sized) == 1 else np.stack(sized, axis=-1)


def block(tiles: UInt8[np.ndarray, "rank row col 3"]) -> UInt8[np.ndarray, "height width 3"]:
    """Tiles in rows and columns of one square picture; what is missing at the end is mid grey."""
    side, px = grid_side(len(tiles)), tiles.shape[1]
    canvas = np.full((side * side, px, px, 3), MID_GREY, np.uint8)
    canvas[: len(tiles)] = tiles
    return canvas.reshape(side, side, px, px, 3).swapaxes(1, 2).reshape(side * px, side * px, 3)


def pair(
    projections: Float16[np.ndarray, "rank row col 3"],
    crops: UInt8[np.ndarray, "rank row col 3"],
    px: int,
) -> UInt8[np.ndarray, "height width 3"]:
    """The block of a channel's projections with the block of its crops on the right."""
    right = resized(squared(crops, MID_GREY), px)
    return np.concatenate([block(projection_tiles(projections, px)), block(right)], axis=1)


Tiles = Sequence[UInt8[np.ndarray, "height width 3"]] | UInt8[np.ndarray, "picture height width 3"]
"""Pictures of one size."""


def sheet(pictures: Tiles, grid: Grid) -> UInt8[np.ndarray, "sheet_height sheet_width 3"]:
    """Pictures of one size in a grid, mid grey where there is none."""
    height, width = pictures[0].shape[:2]
    canvas = np.full((grid.places, height, width, 3), MID_GREY, np.uint8)
    canvas[: len(pictures)] = pictures
    squares = canvas.reshape(grid.rows, grid.columns, height, width, 3).swapaxes(1, 2)
    return squares.reshape(grid.rows * height, grid.columns * width, 3)


def webp(
    pixels: UInt8[np.ndarray, "row col 3"], *, lossless: bool = False, quality: int = QUALITY
) -> bytes:
    """The picture as a WebP file; equal pixels give equal bytes."""
    buffer = io.BytesIO()
    image = Image.fromarray(pixels)
    image.save(buffer, format="WEBP", quality=quality, method=4, lossless=lossless)
    return buffer.getvalue()
