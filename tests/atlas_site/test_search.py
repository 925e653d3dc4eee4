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


def test_words_of_a_layer_a_class_and_a_number_are_looked_for_together(visit: Opener) -> None:
    page = visit("index.html").page
    page.keyboard.press("/")
    found = page.locator("[data-found] section", has_text="Channels").locator(".small-grid a")
    page.locator("[data-query]").fill("conv2 PLAIN")
    expect(found.first).to_be_visible()
    plain = page.evaluate(
        """Atlas.data.search.favourite.conv2.flatMap((favourite, n) =>
            Atlas.data.site.classes[favourite] === "plain" ? [`conv2.html#${n}`] : [])"""
    )
    assert len(plain) > 1
    hrefs = found.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert hrefs == plain[:12]
    number = plain[1].split("#")[1]
    page.locator("[data-query]").fill(f"plain {number} conv2")
    expect(found).to_have_count(1)
    expect(found).to_have_attribute("href", plain[1])
    page.locator("[data-query]").fill("conv1 edge")
    expect(found).to_have_attribute("href", "conv1.html#0")


def test_focus_returns_after_the_search(visit: Opener) -> None:
    page = visit("index.html").page
    page.locator("[data-search-button]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-search]")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('[data-search-button]')")
