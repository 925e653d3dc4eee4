"""The pictures of a site as jobs, each of which writes its own files."""

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from atlas_site.card import CardJob
from atlas_site.catalogue import Catalogue
from atlas_site.display import MID_GREY, to_grey
from atlas_site.figure_pages.registry import FigureJob, made_pages
from atlas_site.firing import FiringJob
from atlas_site.pictures import (
    Tiles,
    grey_outside,
    pair,
    projection_tiles,
    resized,
    sheet,
    squared,
    tile_size,
    webp,
)
from atlas_site.script import data_script
from atlas_site.sprites import (
    CHANNEL_GRID,
    COVER_GRID,
    EXAMPLE_CHANNELS,
    IMAGE_GRID,
    Grid,
    channel_sheet_path,
    control_grid,
    control_path,
    cover_path,
    example_grid,
    example_path,
    filter_grid,
    filters_path,
    image_sheet_path,
    saved_pictures,
    sprite_path,
)
from atlas_site.striking import handfuls
from pipeline.atlas import Run

SAVED_PX = 96
SAVED_QUALITY = 70


@dataclass(frozen=True)
class ChannelsJob:
    """The sprites of the channels of one sheet, the sheet, and their pictures for saving.

    A page opened from disk may show a picture file but not read it; so what can be saved is data.
    """

    layer: str
    key: str
    sheet: int

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the files; return the number of channels."""
        first = self.sheet * CHANNEL_GRID.places
        pictures = atlas.pictures.read(self.layer, slice(first, first + CHANNEL_GRID.places))
        size, frames = tile_size(atlas, self.layer), atlas.frames(self.layer)
        factor, input_px = atlas.pictures.reduction(self.layer), atlas.card.crop
        thumbs, saved = [], {}
        for index in range(len(pictures.scale)):
            projections = pictures.projection[index]
            frame = frames[first + index]
            crops = grey_outside(pictures.crop[index], frame, input_px, factor)
            sprite = webp(pair(projections, crops, size.sprite), lossless=size.pixelated)
            (out / sprite_path(self.key, first + index)).write_bytes(sprite)
            thumbs.append(pair(projections, crops, size.thumb))
            small = pair(projections, crops, min(size.sprite, SAVED_PX))
            picture = webp(small, lossless=size.pixelated, quality=SAVED_QUALITY)
            saved[str(first + index)] = b64encode(picture).decode("ascii")
        path = out / channel_sheet_path(self.key, self.sheet)
        _write_sheet(path, thumbs, CHANNEL_GRID, lossless=size.pixelated)
        name = saved_pictures(self.key, self.sheet)
        (out / "data" / f"{name}.js").write_text(data_script(name, saved), encoding="ascii")
        return len(thumbs)


@dataclass(frozen=True)
class ControlJob:
    """The controls of the channels of one sheet."""

    layer: str
    key: str
    sheet: int

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        first = self.sheet * CHANNEL_GRID.places
        controls = atlas.pictures.controls(self.layer, slice(first, first + CHANNEL_GRID.places))
        assert controls is not None
        size, path = tile_size(atlas, self.layer), out / control_path(self.key, self.sheet)
        tiles = projection_tiles(controls.reshape(-1, *controls.shape[2:]), size.sprite)
        _write_sheet(path, tiles, control_grid(controls.shape[1]), lossless=size.pixelated)
        return 0


@dataclass(frozen=True)
class ExamplesJob:
    """The examples beyond the strongest of some channels, a row of tiles per channel."""

    layer: str
    key: str
    sheet: int

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        first = self.sheet * EXAMPLE_CHANNELS
        channels = slice(first, first + EXAMPLE_CHANNELS)
        crops = atlas.pictures.example_crops(self.layer, channels)
        assert crops is not None
        size, path = tile_size(atlas, self.layer), out / example_path(self.key, self.sheet)
        frames = atlas.example_frames(self.layer)[channels].reshape(-1, 4)
        flat, factor = crops.reshape(-1, *crops.shape[2:]), atlas.pictures.reduction(self.layer)
        shown = grey_outside(flat, frames, atlas.card.crop, factor)
        tiles = resized(squared(shown, MID_GREY), size.example)
        _write_sheet(path, tiles, example_grid(crops.shape[1]), lossless=size.pixelated)
        return 0


@dataclass(frozen=True)
class CoverJob:
    """The strongest projection of each of some channels."""

    layer: str
    key: str
    channels: tuple[int, ...]

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        size = tile_size(atlas, self.layer)
        first = [
            atlas.pictures.read(self.layer, slice(channel, channel + 1)).projection[0, :1]
            for channel in self.channels
        ]
        tiles = projection_tiles(np.concatenate(first), size.sprite)
        _write_sheet(out / cover_path(self.key), tiles, COVER_GRID, lossless=size.pixelated)
        return 0


@dataclass(frozen=True)
class FiltersJob:
    """The filters of a layer that sees the pixels themselves."""

    layer: str
    key: str

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        tiles = to_grey(atlas.weights.filters(self.layer))
        _write_sheet(out / filters_path(self.key), tiles, filter_grid(len(tiles)), lossless=True)
        return 0


@dataclass(frozen=True)
class ImagesJob:
    """One sheet of whole images."""

    sheet: int
    rows: tuple[int, ...]
    px: int

    def paint(self, atlas: Run, out: Path) -> int:
        """Write the file; it counts for no channel."""
        images = [_scaled(atlas.image(row), self.px) for row in self.rows]
        _write_sheet(out / image_sheet_path(self.sheet), images, IMAGE_GRID)
        return 0


Job = (
    ChannelsJob
    | ControlJob
    | ExamplesJob
    | FiringJob
    | CoverJob
    | CardJob
    | FiltersJob
    | ImagesJob
    | FigureJob
)


def jobs_of(catalogue: Catalogue) -> list[Job]:
    """All pictures of a site, the slowest first."""
    jobs: list[Job] = [
        ChannelsJob(layer.name, layer.key, sheet)
        for layer in reversed(catalogue.layers)
        for sheet in range(CHANNEL_GRID.files(len(layer.channels)))
    ]
    jobs += [
        ControlJob(layer.name, layer.key, sheet)
        for layer in catalogue.layers
        if layer.projected.control_ranks
        for sheet in range(CHANNEL_GRID.files(len(layer.channels)))
    ]
    jobs += [
        ExamplesJob(layer.name, layer.key, sheet)
        for layer in catalogue.layers
        if layer.bands
        for sheet in range(-(-len(layer.channels) // EXAMPLE_CHANNELS))
    ]
    jobs += [
        FiringJob(layer.name, layer.key, layer.firing.channels, number)
        for layer in catalogue.layers
        if layer.firing
        for number in range(-(-len(layer.channels) // layer.firing.channels))
    ]
    jobs += [FigureJob(page.name) for page in made_pages(catalogue.atlas)]
    jobs += _image_jobs(catalogue)
    if striking := handfuls(catalogue.layers):
        jobs.append(CardJob(tuple(striking[0])))
    for layer in catalogue.layers:
        if layer.covers:
            jobs.append(CoverJob(layer.name, layer.key, layer.covers))
        if catalogue.has_filters(layer):
            jobs.append(FiltersJob(layer.name, layer.key))
    return jobs


def _image_jobs(catalogue: Catalogue) -> list[ImagesJob]:
    rows = [image.row for image in catalogue.images]
    step = IMAGE_GRID.places
    groups = [tuple(rows[start : start + step]) for start in range(0, len(rows), step)]
    return [ImagesJob(n, group, catalogue.image_px) for n, group in enumerate(groups)]


def _write_sheet(path: Path, tiles: Tiles, grid: Grid, *, lossless: bool = False) -> None:
    path.write_bytes(webp(sheet(tiles, grid), lossless=lossless))


def _scaled(pixels: UInt8[np.ndarray, "crop crop 3"], px: int) -> UInt8[np.ndarray, "px px 3"]:
    if len(pixels) == px:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize((px, px), Image.Resampling.LANCZOS))
