"""Where each picture stands: which file, and which place in its grid."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Grid:
    """A file that holds many pictures of one size in a fixed number of columns and rows."""

    columns: int
    rows: int

    @property
    def places(self) -> int:
        """Pictures in one file."""
        return self.columns * self.rows


CHANNEL_GRID = Grid(columns=4, rows=4)
"""Channels in a sheet of thumbnails; each is a block of projections beside a block of crops."""
COVER_GRID = Grid(columns=3, rows=3)
"""A layer's most selective channels on the first page."""
IMAGE_GRID = Grid(columns=5, rows=5)
FILTER_COLUMNS = 16
MANY_IMAGES = 2500
TOO_MANY_IMAGES = 6000


@dataclass(frozen=True)
class Cut:
    """A picture inside a file: the place in its grid, and the pixels of the whole file."""

    src: str
    x: int
    y: int
    width: int
    height: int


def sprite_path(layer: str, channel: int) -> str:
    """The sprite of one channel."""
    return f"tiles/{layer}/{channel}.webp"


def channel_sheet_path(layer: str, sheet: int) -> str:
    """A sheet of thumbnails."""
    return f"tiles/{layer}/sheet-{sheet}.webp"


def cover_path(layer: str) -> str:
    """The sheet of the strongest projections of a layer's most selective channels."""
    return f"tiles/{layer}/cover.webp"


def filters_path(layer: str) -> str:
    """The filters of the first layer, drawn directly."""
    return f"tiles/{layer}/filters.webp"


def image_sheet_path(sheet: int) -> str:
    """A sheet of whole images."""
    return f"images/{sheet}.webp"


def channel_cuts(layer: str, channel: int, block_px: int) -> tuple[Cut, Cut]:
    """The thumbnails of a channel: its block of projections, its block of crops."""
    sheet, place = divmod(channel, CHANNEL_GRID.places)
    row, col = divmod(place, CHANNEL_GRID.columns)
    src = channel_sheet_path(layer, sheet)
    width, height = 2 * CHANNEL_GRID.columns * block_px, CHANNEL_GRID.rows * block_px
    return Cut(src, 2 * col, row, width, height), Cut(src, 2 * col + 1, row, width, height)


def image_cut(position: int, px: int) -> Cut:
    """A whole image, by its position among the images that are shown."""
    sheet, place = divmod(position, IMAGE_GRID.places)
    row, col = divmod(place, IMAGE_GRID.columns)
    return Cut(image_sheet_path(sheet), col, row, IMAGE_GRID.columns * px, IMAGE_GRID.rows * px)


def image_px(images: int, crop: int) -> int:
    """The side of a whole image in its sheet: smaller for many, so that the site stays small."""
    if images > TOO_MANY_IMAGES:
        return min(crop, 112)
    if images > MANY_IMAGES:
        return min(crop, 160)
    return crop
