"""The search from anywhere, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("place", ["index.html", "conv3.html#0", "images.html", "channels.html"])
def test_a_slash_opens_the_search_from_anywhere(visit: Opener, place: str) -> None:
    watched = visit(place)
    page = watched.page
    page.keyboard.press("/")
    expect(page.locator("[data-search]")).to_be_visible()
    page.keyboard.type("conv2 4")
    expect(page.locator("[data-found] .small-grid a").first).to_contain_text("conv2 4")
    page.keyboard.press("Enter")
    expect(page.locator("#channel-title")).to_have_text("conv2 4")
    assert watched.complaints == []


@pytest.mark.parametrize("text", ["onerror=alert", 'it\'s "quoted"', "100% <b>", "🦊", "edge <b>"])
def test_the_search_finds_hostile_classes_files_and_names(visit: Opener, text: str) -> None:
    watched = visit("index.html")
    page = watched.page
    page.keyboard.press("/")
    page.locator("[data-query]").fill(text)
    expect(page.locator("[data-found] a").first).to_be_visible()
    page.locator("[data-query]").fill("no such thing")
    expect(page.locator("[data-found]")).to_contain_text("Nothing fits.")
    page.keyboard.press("Escape")
    expect(page.locator("[data-search]")).to_be_hidden()
    assert watched.complaints == []


def test_focus_returns_after_the_search(visit: Opener) -> None:
    page = visit("index.html").page
    page.locator("[data-search-button]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-search]")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('[data-search-button]')")
