"""Where channels fire: the maps as data, and the stage that draws them."""

import base64
import json
import zlib
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from atlas_site.firing import FILE_BYTES, FiringMaps, firing_maps
from atlas_site.generator import render
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace
from tests.atlas_site.browsing import channel_of
from tests.atlas_site.conftest import Opener, watching
from tests.atlas_site.synthetic_run import Plan, write_run


def data(site: Path, name: str) -> dict:
    text = (site / "data" / f"{name}.js").read_text(encoding="ascii")
    return json.loads(text[text.index(", ") + 2 : -3])


@pytest.mark.parametrize("layer", ["conv1", "conv3"])
def test_the_files_hold_the_stores_levels_in_order(run: Workspace, site: Path, layer: str):
    atlas = open_atlas(run.artifacts)
    levels, ends = atlas.pictures.activation_maps(layer, slice(None))
    facts = next(one for one in data(site, "site")["layers"] if one["name"] == layer)["firing"]
    assert (facts["rows"], facts["cols"]) == levels.shape[2:]
    for number, first in enumerate(range(0, len(levels), facts["channels"])):
        part = slice(first, first + facts["channels"])
        found = data(site, facts["src"].replace("{}", str(number)))
        assert zlib.decompress(base64.b64decode(found["levels"])) == levels[part].tobytes()
        np.testing.assert_allclose(found["ends"], ends[part].reshape(-1, 2), rtol=1e-3)


def test_a_file_holds_few_channels_of_large_maps(run: Workspace, monkeypatch: pytest.MonkeyPatch):
    atlas = open_atlas(run.artifacts)
    rows, cols = atlas.graph.layer("conv1").size
    assert firing_maps(atlas, "conv1") == FiringMaps(rows, cols, 16)
    monkeypatch.setattr("atlas_site.firing.FILE_BYTES", 3 * 9 * rows * cols + 1)
    assert firing_maps(atlas, "conv1") == FiringMaps(rows, cols, 3)
    monkeypatch.setattr("atlas_site.firing.FILE_BYTES", 1)
    assert firing_maps(atlas, "conv1") == FiringMaps(rows, cols, 1)
    assert FILE_BYTES == 1 << 20


def show(page: Page, mode: str) -> None:
    page.locator(f"[data-where] [value={mode}]").check(force=True)
    expect(page.locator("[data-value]")).to_be_visible()
    expect(page.locator("[data-value]")).not_to_be_empty()


def entry(run: Workspace, layer: str, channel: int, rank: int) -> tuple[np.ndarray, tuple]:
    """The values of a map, and the cell of the entry."""
    atlas = open_atlas(run.artifacts)
    levels, ends = atlas.pictures.activation_maps(layer, slice(channel, channel + 1))
    least, largest = ends[0, rank]
    values = least + levels[0, rank] / 255 * (largest - least)
    return values, tuple(atlas.scan(layer).cell[channel, rank].tolist())


@pytest.mark.browser
def test_the_value_under_the_pointer_is_the_maps(visit: Opener, run: Workspace) -> None:
    watched = visit("conv2.html#4", width=1280, height=900)
    page = watched.page
    show(page, "cells")
    values, cell = entry(run, "conv2", 4, 0)
    readout = page.locator("[data-value]")
    expect(readout).to_contain_text(f"cell {cell[0]}, {cell[1]}:")
    stage = page.locator("[data-stage]")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box is not None
    # A unit of conv2 sees 27 pixels from 8 × its cell on, of 64: its square is 8 around the middle.
    for row, col in ((0, 0), (2, 3), (len(values) - 1, 1)):
        x, y = (8 * place + 13.5 for place in (col, row))
        page.mouse.move(box["x"] + x / 64 * box["width"], box["y"] + y / 64 * box["height"])
        expect(readout).to_contain_text(f"cell {row}, {col}: ")
        text = readout.inner_text().split(": ")[1]
        assert float(text) == pytest.approx(values[row, col], rel=0.01, abs=0.006)
    page.mouse.move(box["x"] + 1, box["y"] + 1)
    expect(readout).to_have_text("outside the map")
    page.mouse.move(1, 1)
    expect(readout).to_contain_text(f"cell {cell[0]}, {cell[1]}:")
    assert watched.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("mode", ["cells", "smooth"])
def test_the_image_is_clear_where_it_fires_most_and_dark_elsewhere(
    visit: Opener, run: Workspace, mode: str
) -> None:
    page = visit("conv2.html#4").page
    show(page, mode)
    values, cell = entry(run, "conv2", 4, 0)
    alpha = page.evaluate(
        """([x, y]) => document.querySelector('[data-stage] canvas').getContext('2d')
            .getImageData(2 * x, 2 * y, 1, 1).data[3]""",
        [8 * cell[1] + 13.5, 8 * cell[0] + 13.5],
    )
    assert alpha <= 12
    far = np.unravel_index(values.argmin(), values.shape)
    dark = page.evaluate(
        """([x, y]) => document.querySelector('[data-stage] canvas').getContext('2d')
            .getImageData(2 * x, 2 * y, 1, 1).data[3]""",
        [int(8 * far[1] + 13.5), int(8 * far[0] + 13.5)],
    )
    share = values.min() / values.max()
    assert dark == pytest.approx(255 * 0.82 * (1 - share), abs=3 if mode == "cells" else 12)


@pytest.mark.browser
def test_arrow_keys_move_over_the_cells_and_leave_the_channel(
    visit: Opener, run: Workspace
) -> None:
    page = visit("conv2.html#4").page
    show(page, "cells")
    values, cell = entry(run, "conv2", 4, 0)
    page.locator("[data-stage]").focus()
    for _ in range(len(values)):
        page.keyboard.press("ArrowUp")
    expect(page.locator("[data-value]")).to_contain_text(f"cell 0, {cell[1]}:")
    for _ in range(len(values)):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-value]")).to_contain_text("cell 1, 0:")
    expect(page.locator("[data-number]")).to_have_text("4")


@pytest.mark.browser
def test_the_image_outside_the_field_is_shaded(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    top, left = channel_of(page, "conv2", 4)["corner"][0]
    shade = page.locator("[data-stage] .shade")
    expect(shade).to_be_visible()
    expect(shade).to_have_attribute("d", f"M0 0H64V64H0zM{left} {top}h27v27h-27z")
    show(page, "cells")
    expect(shade).to_be_hidden()


@pytest.mark.browser
def test_the_mode_is_kept_from_entry_to_entry_and_from_visit_to_visit(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    show(page, "smooth")
    page.locator("[data-entries] button").nth(3).click()
    expect(page.locator("[data-whole]")).to_contain_text("rank 4")
    expect(page.locator("[data-value]")).not_to_be_empty()
    expect(page.locator("[data-where] [value=smooth]")).to_be_checked()
    page.reload()
    expect(page.locator("[data-where] [value=smooth]")).to_be_checked()
    expect(page.locator("[data-value]")).to_contain_text("cell")


@pytest.mark.browser
def test_a_channel_opened_over_another_shows_its_own_map(visit: Opener, run: Workspace) -> None:
    page = visit("conv2.html#4").page
    show(page, "cells")
    page.locator("[data-next]").click()
    _, cell = entry(run, "conv2", 5, 0)
    expect(page.locator("[data-number]")).to_have_text("5")
    expect(page.locator("[data-value]")).to_contain_text(f"cell {cell[0]}, {cell[1]}:")


@pytest.mark.browser
def test_a_layer_of_one_cell_shows_the_image_alone(chromium: Browser, tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", Plan(layers=("fc8",), dead={}, partial={}))
    render(open_atlas(run.artifacts), run.site, workers=1)
    with watching(chromium) as opened:
        watched = opened(f"{run.site.as_uri()}/fc8.html#0")
        page = watched.page
        for rank in (1, 2, 0):
            page.locator("[data-entries] button").nth(rank).click()
            expect(page.locator("[data-whole]")).to_contain_text(f"rank {rank + 1}")
            expect(page.locator("[data-stage] img")).to_be_visible()
            expect(page.locator(".where .chips")).to_be_hidden()
        assert watched.complaints == []
