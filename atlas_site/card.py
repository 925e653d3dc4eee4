"""The picture that a link to a hosted atlas shows: a handful of channels under its title."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from atlas_site.channels import Channel
from atlas_site.pictures import grey_outside, pair, tile_size
from pipeline.atlas import Run

SIZE = (1200, 630)
COLUMNS = 3
GAP = 12
TITLE_PX = 150
QUALITY = 88


@dataclass(frozen=True)
class CardJob:
    """The card of some channels."""

    channels: tuple[Channel, ...]

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        draw_card(atlas, self.channels).save(out / "card.jpg", quality=QUALITY)
        return 0


def draw_card(run: Run, channels: Sequence[Channel]) -> Image.Image:
    """Up to six channels, projections beside crops, below a title."""
    page = Image.new("RGB", SIZE, "#131415")
    draw = ImageDraw.Draw(page)
    draw.text((GAP * 2, 36), "Feature atlas", "#eceae7", ImageFont.load_default(52))
    words = f"What every channel of {run.card.arch} responds to"
    draw.text((GAP * 2, 100), words, "#a3a19d", ImageFont.load_default(26))
    width = (SIZE[0] - (COLUMNS + 1) * GAP) // COLUMNS
    for place, channel in enumerate(channels[: 2 * COLUMNS]):
        row, column = divmod(place, COLUMNS)
        panel = _panel(run, channel).resize((width, width // 2), Image.Resampling.LANCZOS)
        corner = GAP + column * (width + GAP), TITLE_PX + GAP + row * (width // 2 + 2 * GAP)
        page.paste(panel, corner)
    return page


def _panel(run: Run, channel: Channel) -> Image.Image:
    pictures = run.pictures.read(channel.layer, slice(channel.number, channel.number + 1))
    frames = run.frames(channel.layer)[channel.number]
    factor = run.pictures.reduction(channel.layer)
    crops = grey_outside(pictures.crop[0], frames, run.card.crop, factor)
    px = tile_size(run, channel.layer).sprite
    return Image.fromarray(np.ascontiguousarray(pair(pictures.projection[0], crops, px)))
