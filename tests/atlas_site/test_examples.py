"""The images beyond the strongest: their files, their data, and the histogram that chooses them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from atlas_site.generator import render
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace
from tests.atlas_site.browsing import channel_of
from tests.atlas_site.conftest import Opener
from tests.atlas_site.synthetic_run import Plan, write_run

PX = 75
"""The side of conv3's tiles in the synthetic run, which is its field's."""


def data(site: Path, name: str) -> dict:
    text = (site / "data" / f"{name}.js").read_text(encoding="ascii")
    return json.loads(text[text.index(", ") + 2 : -3])


def test_the_data_names_the_stores_examples_with_their_files(run: Workspace, site: Path):
    atlas, found = open_atlas(run.artifacts), data(site, "examples/conv3")
    examples, classes = atlas.scan("conv3").examples, data(site, "site")["classes"]
    for channel, held in enumerate(found["channels"]):
        for place, (position, peak) in enumerate(held):
            row = examples.example_image[channel, place]
            assert peak == pytest.approx(examples.example_activation[channel, place], rel=1e-3)
            if row < 0:
                assert position == -1
                continue
            assert found["row"][position] == row
            assert found["path"][position] == atlas.images[int(row)].path
            assert classes[found["label"][position]] == atlas.images[int(row)].label


def test_a_sheet_holds_four_channels_a_row_each_and_the_tile_is_the_patch(
    run: Workspace, site: Path
):
    atlas = open_atlas(run.artifacts)
    with Image.open(site / "tiles" / "conv3" / "examples-1.webp") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    boxes = atlas.scan("conv3").examples.example_box
    assert pixels.shape == (4 * 64, 18 * 64, 3)
    crops = atlas.pictures.example_crops("conv3", slice(4, 8))
    for channel, place in ((0, 0), (1, 7), (3, 17)):
        top, left, bottom, right = boxes[4 + channel, place]
        inside = np.zeros((bottom - top, right - left), bool)
        inside[max(0, -top) : 64 - top, max(0, -left) : 64 - left] = True
        expected = np.where(inside[..., None], crops[channel, place], 128).astype(int)
        tile = pixels[64 * channel : 64 * (channel + 1), 64 * place : 64 * (place + 1)]
        # Lossy files keep a picture's means; colours are at half the resolution.
        assert np.abs(tile.mean((0, 1)) - expected.mean((0, 1))).max() < 3


def test_stores_without_examples_render_without_their_panel(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",), examples=False))
    render(open_atlas(run.artifacts), run.site, workers=1)
    assert data(run.site, "site")["layers"][0]["examples"] is None
    assert not list((run.site / "tiles").glob("*/examples-*"))


@pytest.mark.browser
def test_each_band_shows_its_three_images(visit: Opener) -> None:
    watched = visit("conv3.html#4")
    page = watched.page
    shown = page.locator("[data-examples] > li")
    expect(shown).to_have_count(3)
    for number, band in enumerate(("99%", "90%", "75%", "50%", "weakest", "silent")):
        page.locator(f"[data-bands] [value='{band}']").check(force=True)
        held = page.evaluate("Atlas.data['examples/conv3'].channels[4]")[3 * number :][:3]
        expect(shown).to_have_count(3)
        peaks = [float(text) for text in shown.locator("b").all_inner_texts()]
        assert peaks == pytest.approx([peak for _, peak in held], rel=0.01)
        images = shown.locator("img").evaluate_all("all => all.map(i => i.className)")
        assert images == [f"x{3 * number + place} y0" for place in range(3)]
        expect(shown.locator("img").first).to_have_attribute("src", "tiles/conv3/examples-1.webp")
    assert watched.complaints == []


@pytest.mark.browser
def test_the_histogram_chooses_the_band_by_hover_and_by_click(visit: Opener) -> None:
    page = visit("conv3.html#4").page
    peaks = page.locator("[data-examples] b")
    expect(peaks.first).to_have_text("0.70")
    strong = page.locator("[data-histogram] rect[data-band='99%']")
    strong.hover(force=True)
    expect(peaks.first).to_have_text("3.00")
    page.locator("[data-examples-note]").hover()
    expect(peaks.first).to_have_text("0.70")
    strong.click(force=True)
    page.locator("[data-examples-note]").hover()
    expect(peaks.first).to_have_text("3.00")
    expect(page.locator("[data-bands] [value='99%']")).to_be_checked()


@pytest.mark.browser
def test_the_bands_are_one_tab_stop_with_arrow_keys_that_keep_the_channel(visit: Opener) -> None:
    page = visit("conv3.html#4").page
    page.locator("[data-bands] :checked").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-bands] :checked")).to_have_value("weakest")
    expect(page.locator("[data-examples] b").first).to_have_text("0.01")
    expect(page.locator("[data-number]")).to_have_text("4")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('[data-bands]')") is None


@pytest.mark.browser
def test_a_band_without_images_says_so_and_a_missing_one_is_left_out(visit: Opener) -> None:
    page = visit("conv3.html#0").page
    page.locator("[data-bands] [value=weakest]").check(force=True)
    expect(page.locator("[data-examples] > li")).to_have_count(2)
    page.locator("[data-bands] [value=silent]").check(force=True)
    expect(page.locator("[data-examples] > li")).to_have_count(0)
    expect(page.locator("[data-examples-note]")).to_have_text("Every image makes it fire.")


@pytest.mark.browser
def test_an_example_names_its_class_and_file_as_text(visit: Opener) -> None:
    watched = visit("conv2.html#2")
    page = watched.page
    names = set()
    for band in ("99%", "90%", "75%", "50%", "weakest", "silent"):
        page.locator(f"[data-bands] [value='{band}']").check(force=True)
        names |= set(page.locator("[data-examples] p:first-of-type a").all_inner_texts())
    assert names == set(page.evaluate("Atlas.data.site.classes"))
    assert page.locator("img[onerror]").count() == 0
    assert watched.complaints == []


@pytest.mark.browser
def test_the_histogram_has_a_table_of_its_bins(visit: Opener) -> None:
    page = visit("conv3.html#4").page
    page.locator(".as-table summary").click()
    rows = page.locator("[data-histogram-table] tbody tr")
    counts = channel_of(page, "conv3", 4)["histogram"]
    expect(rows).to_have_count(sum(count > 0 for count in counts))
    shown_counts = [int(text) for text in rows.locator("td").all_inner_texts()]
    assert shown_counts == [count for count in counts if count]


@pytest.mark.browser
def test_without_javascript_the_examples_are_pictures_by_link(visit: Opener) -> None:
    page = visit("conv3.html", java_script_enabled=False).page
    page.get_by_role("link", name="4–7", exact=True).click()
    assert page.url.endswith("tiles/conv3/examples-1.webp")
