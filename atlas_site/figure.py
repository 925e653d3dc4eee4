"""Figure 2 of the paper: projections beside crops, channel by channel, ready for print."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from atlas_site.channels import Channel
from atlas_site.display import MID_GREY
from atlas_site.layers import LayerView
from atlas_site.pictures import grey_outside, grid_side, projection_tiles, resized, squared
from atlas_site.striking import striking
from pipeline.atlas import Run
from pipeline.errors import AtlasError

DPI = 300
WIDTH_PX = 2100
"""Seven inches: the text width of a page."""
MOST_COLUMNS = 3
DEFAULT_CHANNELS = 6
BETWEEN_TILES_PX = 3
BETWEEN_BLOCKS_PX = 14
BETWEEN_PANELS_PX = 42
LABEL_PX = 40
FORMATS = (".png", ".pdf")
WHITE = 255
EPOCH = time.gmtime(0)
"""The date written into a PDF: equal inputs give equal bytes."""


def chosen_channels(layer: LayerView, numbers: Sequence[int]) -> list[Channel]:
    """The channels of these numbers, in their order; of none, the most striking.

    Raises AtlasError for a number that the layer does not have.
    """
    if not numbers:
        return striking(layer.channels, DEFAULT_CHANNELS)
    for number in numbers:
        if not 0 <= number < len(layer.channels):
            raise AtlasError(
                f"{layer.name} has no channel {number}.",
                fix=f"Choose from 0 to {len(layer.channels) - 1}.",
            )
    return [layer.channels[number] for number in numbers]


@dataclass(frozen=True)
class Layout:
    """Measures of a figure of panels, all in pixels at 300 dpi."""

    panels: int
    top: int
    """Entries per channel."""

    @property
    def columns(self) -> int:
        """Panels side by side."""
        return min(MOST_COLUMNS, self.panels)

    @property
    def tile(self) -> int:
        """Side of a tile: as large as the width of the page allows."""
        side = grid_side(self.top)
        gaps = (self.columns - 1) * BETWEEN_PANELS_PX
        gaps += self.columns * (BETWEEN_BLOCKS_PX + 2 * (side - 1) * BETWEEN_TILES_PX)
        return (WIDTH_PX - gaps) // (self.columns * 2 * side)


def draw_figure(run: Run, layer: LayerView, channels: Sequence[Channel]) -> Image.Image:
    """The figure: per channel its number, the block of projections and the block of crops."""
    layout = Layout(len(channels), run.scan(layer.name).image.shape[1])
    panels = [_panel(run, layer, channel, layout.tile) for channel in channels]
    height, width = panels[0].shape[:2]
    rows = -(-len(panels) // layout.columns)
    size = (
        layout.columns * (width + BETWEEN_PANELS_PX) - BETWEEN_PANELS_PX,
        rows * (LABEL_PX + height + BETWEEN_PANELS_PX) - BETWEEN_PANELS_PX,
    )
    page = Image.new("RGB", size, "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(LABEL_PX * 3 // 4)
    for place, (channel, panel) in enumerate(zip(channels, panels, strict=True)):
        row, column = divmod(place, layout.columns)
        x = column * (width + BETWEEN_PANELS_PX)
        y = row * (LABEL_PX + height + BETWEEN_PANELS_PX)
        draw.text((x, y), f"{layer.name} {channel.number}", fill="black", font=font)
        page.paste(Image.fromarray(panel), (x, y + LABEL_PX))
    return page


def _panel(
    run: Run, layer: LayerView, channel: Channel, px: int
) -> UInt8[np.ndarray, "height width 3"]:
    pictures = run.pictures.read(layer.name, slice(channel.number, channel.number + 1))
    frames, factor = run.frames(layer.name)[channel.number], run.pictures.reduction(layer.name)
    native = layer.field if layer.tile.pixelated else px
    crops = grey_outside(pictures.crop[0], frames, run.card.crop, factor)
    left = _block(projection_tiles(pictures.projection[0], native), px)
    right = _block(resized(squared(crops, MID_GREY), native), px)
    gap = np.full((len(left), BETWEEN_BLOCKS_PX, 3), WHITE, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def _block(
    tiles: UInt8[np.ndarray, "rank side side 3"], px: int
) -> UInt8[np.ndarray, "height width 3"]:
    """Tiles in a square with white lines between; those of few pixels keep them as squares."""
    side, step = grid_side(len(tiles)), px + BETWEEN_TILES_PX
    canvas = Image.new("RGB", (side * step - BETWEEN_TILES_PX,) * 2, "white")
    for place, tile in enumerate(tiles):
        row, column = divmod(place, side)
        sized = Image.fromarray(tile).resize((px, px), Image.Resampling.NEAREST)
        canvas.paste(sized, (column * step, row * step))
    return np.asarray(canvas)


def save_figure(figure: Image.Image, path: Path, suffix: str) -> None:
    """Write a figure as PNG or PDF at 300 dpi; equal figures give equal bytes."""
    if suffix == ".pdf":
        # Without these Pillow writes the clock and the name of the unfinished file.
        dates = {"title": "Feature atlas", "creationDate": EPOCH, "modDate": EPOCH}
        figure.save(path, format="PDF", resolution=DPI, quality=95, **dates)
    else:
        figure.save(path, format="PNG", dpi=(DPI, DPI))


def caption(run: Run, layer: LayerView, channels: Sequence[Channel], workspace: str) -> str:
    """What the figure shows and what it was made from, as text for its caption."""
    top = run.scan(layer.name).image.shape[1]
    lines = [
        f"Channels {', '.join(str(c.number) for c in channels)} of {layer.name} in {run.card.arch}"
        f" (width {run.card.variant.width:g}), run {workspace}, {run.card.epochs_trained} epochs,"
        f" seed {run.card.seed}.",
        f"For each channel the {top} validation images with the highest peaks, strongest first in"
        " reading order. Left: the unit projected back to pixels, mid grey is zero, every tile on"
        " its own symmetric scale. Right: the pixels under the same receptive field,"
        f" {layer.field_size[0]} × {layer.field_size[1]} px.",
        *(
            f"{layer.name} {c.number}: most frequent class {c.favourite or 'none'},"
            f" peak {c.peak:.4g}, selectivity {c.selectivity:.2f}."
            for c in channels
        ),
        f"weights sha256 {run.provenance.weights_sha256}",
        f"manifest sha256 {run.provenance.manifest_sha256}",
        f"scan entries sha256 {run.entries_provenance.scan_sha256}",
    ]
    return "\n".join(lines) + "\n"
