"""Sprites: files that hold many pictures of one size, and the place of each in them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class SpriteRegion:
    """A picture inside a file: the place in its grid, and the pixels of the whole file."""

    src: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True)
class Grid:
    """A fixed number of columns and rows of pictures; files are filled row by row."""

    columns: int
    rows: int

    @property
    def places(self) -> int:
        """Pictures in one file."""
        return self.columns * self.rows

    def files(self, pictures: int) -> int:
        """Files that so many pictures fill."""
        return -(-pictures // self.places)

    def corner(self, place: int) -> tuple[int, int]:
        """(column, row) of a picture by its place in its file."""
        row, column = divmod(place, self.columns)
        return column, row

    def region(self, src: str, place: int, px: int) -> SpriteRegion:
        """A picture of side `px` by its place in the file `src`."""
        return SpriteRegion(src, *self.corner(place), self.columns * px, self.rows * px)


CHANNEL_GRID = Grid(columns=4, rows=4)
"""Channels in a sheet of thumbnails; each is a block of projections beside a block of crops."""
COVER_GRID = Grid(columns=3, rows=3)
"""A layer's most selective channels on the first page."""
SPRITE_GRID = Grid(columns=2, rows=1)
"""The sprite of one channel: its block of projections beside its block of crops."""
IMAGE_GRID = Grid(columns=5, rows=5)
EXAMPLE_CHANNELS = 4
"""Channels in a sheet of examples, a row each."""
FILTER_COLUMNS = 16
MANY_IMAGES = 2500
TOO_MANY_IMAGES = 6000


def filter_grid(filters: int) -> Grid:
    """The grid of so many filters in one file."""
    return Grid(FILTER_COLUMNS, -(-filters // FILTER_COLUMNS))


def control_grid(ranks: int) -> Grid:
    """The grid of the controls of the channels of one sheet, so many ranks of each."""
    return Grid(CHANNEL_GRID.columns * ranks, CHANNEL_GRID.rows)


def control_path(layer: str, sheet: int | str) -> str:
    """The controls of the channels of one sheet."""
    return f"tiles/{layer}/control-{sheet}.webp"


def example_grid(examples: int) -> Grid:
    """The grid of the examples of the channels of one sheet, so many of each."""
    return Grid(examples, EXAMPLE_CHANNELS)


def example_path(layer: str, sheet: int | str) -> str:
    """The examples beyond the strongest of some channels."""
    return f"tiles/{layer}/examples-{sheet}.webp"


def sprite_path(layer: str, channel: int | str) -> str:
    """The sprite of one channel; layers by their key."""
    return f"tiles/{layer}/{channel}.webp"


def channel_sheet_path(layer: str, sheet: int | str) -> str:
    """A sheet of thumbnails."""
    return f"tiles/{layer}/sheet-{sheet}.webp"


def cover_path(layer: str) -> str:
    """The sheet of the strongest projections of a layer's most selective channels."""
    return f"tiles/{layer}/cover.webp"


def filters_path(layer: str) -> str:
    """The filters of the first layer, drawn directly."""
    return f"tiles/{layer}/filters.webp"


def saved_pictures(layer: str, sheet: int | str) -> str:
    """The name of the data that holds the pictures for saving of the channels of one sheet."""
    return f"pictures/{layer}-{sheet}"


def image_sheet_path(sheet: int | str) -> str:
    """A sheet of whole images."""
    return f"images/{sheet}.webp"


def channel_regions(layer: str, channel: int, block_px: int) -> tuple[SpriteRegion, SpriteRegion]:
    """The thumbnails of a channel: its block of projections, its block of crops."""
    sheet, place = divmod(channel, CHANNEL_GRID.places)
    blocks = Grid(2 * CHANNEL_GRID.columns, CHANNEL_GRID.rows)
    src = channel_sheet_path(layer, sheet)
    return blocks.region(src, 2 * place, block_px), blocks.region(src, 2 * place + 1, block_px)


def image_region(position: int, px: int) -> SpriteRegion:
    """A whole image, by its position among the images that are shown."""
    sheet, place = divmod(position, IMAGE_GRID.places)
    return IMAGE_GRID.region(image_sheet_path(sheet), place, px)


def image_px(images: int, crop: int) -> int:
    """The side of a whole image in its sheet: smaller for many, so that the site stays small."""
    if images > TOO_MANY_IMAGES:
        return min(crop, 112)
    if images > MANY_IMAGES:
        return min(crop, 160)
    return crop
