import numpy as np
import pytest
from PIL import Image

from atlas_site.figure import (
    BETWEEN_BLOCKS_PX,
    BETWEEN_PANELS_PX,
    BETWEEN_TILES_PX,
    WIDTH_PX,
    Layout,
    _block,
    chosen_channels,
    save_figure,
)
from pipeline.errors import AtlasError
from tests.atlas_site.plain_layers import layer

LAYER = layer("conv3", 13, 4, 75)


def test_channels_are_those_that_were_named_in_their_order():
    assert len(chosen_channels(LAYER, [3, 0])) == 2
    for number in (4, -1):
        with pytest.raises(AtlasError, match=f"conv3 has no channel {number}") as refusal:
            chosen_channels(LAYER, [0, number])
        assert "from 0 to 3" in refusal.value.fix


@pytest.mark.parametrize(("panels", "columns"), [(1, 1), (2, 2), (6, 3)])
@pytest.mark.parametrize(("top", "side"), [(9, 3), (4, 2)])
def test_a_tile_is_as_large_as_the_page_allows(panels, columns, top, side):
    layout = Layout(panels, top)
    assert layout.columns == columns

    def width(tile):
        block = side * tile + (side - 1) * BETWEEN_TILES_PX
        panel = 2 * block + BETWEEN_BLOCKS_PX
        return columns * panel + (columns - 1) * BETWEEN_PANELS_PX

    assert width(layout.tile) <= WIDTH_PX < width(layout.tile + 1)


def test_tiles_lie_in_reading_order_with_white_lines_between():
    tiles = np.arange(1, 5, dtype=np.uint8).reshape(4, 1, 1, 1) * np.full(
        (1, 2, 2, 3), 20, np.uint8
    )
    block = _block(tiles, 4)
    assert block.shape == (8 + BETWEEN_TILES_PX, 8 + BETWEEN_TILES_PX, 3)
    second = 4 + BETWEEN_TILES_PX
    assert (block[:4, :4] == 20).all()
    assert (block[:4, second:] == 40).all()
    assert (block[second:, :4] == 60).all()
    assert (block[4:second] == 255).all()


@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_equal_figures_give_equal_bytes(tmp_path, suffix):
    figure = Image.fromarray(np.full((20, 30, 3), 90, np.uint8))
    for name in ("a", "b"):
        save_figure(figure, tmp_path / f"{name}{suffix}", suffix)
    first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in ("a", "b"))
    assert first == second
    if suffix == ".png":
        with Image.open(tmp_path / "a.png") as found:
            assert [round(float(d)) for d in found.info["dpi"]] == [300, 300]
