"""The site in a real browser, opened from disk: what holds for every page."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.atlas_site.browsing import PLACES, scroll_through
from tests.atlas_site.conftest import Opener, watching

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("place", PLACES)
def test_no_page_complains_or_asks_for_anything_but_files(visit: Opener, place: str) -> None:
    watched = visit(place)
    scroll_through(watched.page)
    assert watched.complaints == []
    assert [url for url in watched.requests if not url.startswith("file:")] == []


@pytest.mark.parametrize("place", [p for p in PLACES if p != "classes.html"])
def test_every_picture_of_a_page_is_drawn(visit: Opener, place: str) -> None:
    page = visit(place).page
    scroll_through(page)
    broken = "i => i.complete && i.naturalWidth === 0"
    assert page.eval_on_selector_all("img", f"all => all.filter({broken}).length") == 0
    wrong = """all => all.filter(i => i.complete && i.naturalWidth).map(i =>
        [i.naturalWidth - i.getAttribute('width'), i.naturalHeight - i.getAttribute('height')])"""
    differences = {
        tuple(size) for size in page.eval_on_selector_all("img:not(.figure-cover *)", wrong)
    }
    assert differences == (set() if place in ("channels.html", "figures.html") else {(0, 0)})


@pytest.mark.parametrize("place", PLACES)
def test_no_page_is_wider_than_the_screen(visit: Opener, place: str) -> None:
    page = visit(place).page
    wide = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    for width in (390, 768, 1024, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(wide) <= width


def test_theme_goes_round_and_is_kept(visit: Opener) -> None:
    page = visit("index.html", color_scheme="light").page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    button = page.locator("[data-theme-button]")
    button.click()
    button.click()
    dark = page.evaluate(ground)
    assert dark != light
    page.reload()
    assert page.evaluate(ground) == dark
    page.locator("[data-theme-button]").click()
    assert page.evaluate(ground) == light


def test_the_dark_scheme_of_the_system_is_followed(visit: Opener) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = visit("index.html", color_scheme="dark").page.evaluate(ground)
    light = visit("index.html", color_scheme="light").page.evaluate(ground)
    assert dark != light


def test_a_picture_that_is_not_there_is_a_complaint(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<img src="gone.webp" alt="">', encoding="utf-8")
    with watching(chromium) as opened:
        watched = opened((tmp_path / "page.html").as_uri())
        watched.page.wait_for_load_state("load")
        assert any("gone.webp" in complaint for complaint in watched.complaints)
        assert any(complaint.startswith("failed: ") for complaint in watched.complaints)


def test_the_first_screen_shows_a_handful_of_channels_and_another_at_a_press(visit: Opener) -> None:
    page = visit("index.html").page
    first = page.locator("[data-handful]:not([hidden]) b").all_inner_texts()
    assert len(first) == 6
    assert page.locator("[data-handful]:not([hidden]) img").first.bounding_box()["y"] < 500
    page.locator("[data-another]").click()
    second = page.locator("[data-handful]:not([hidden]) b").all_inner_texts()
    assert not set(first) & set(second)
