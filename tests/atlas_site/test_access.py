"""What a visitor with a keyboard, large text, a screen reader or other needs finds."""

import pytest
from playwright.sync_api import expect

from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser

PAGES = ["index.html", "conv3.html", "images.html", "classes.html", "channels.html"]


@pytest.mark.parametrize("place", [*PAGES, "images.html#1", "classes.html#0"])
def test_every_grid_of_links_is_one_tab_stop(visit: Opener, place: str) -> None:
    page = visit(place).page
    page.wait_for_load_state("networkidle")
    assert page.locator(":is(.small-grid, .strip, .gallery):not([data-roving])").count() == 0
    stops = page.eval_on_selector_all(
        "[data-roving]",
        """lists => lists.filter(l => l.querySelector('a') && l.offsetParent)
            .map(l => [...l.querySelectorAll('a')].filter(a => a.tabIndex === 0).length)""",
    )
    assert stops
    assert set(stops) == {1}


def test_the_lists_of_a_channel_are_one_tab_stop_each(visit: Opener) -> None:
    page = visit("conv3.html#0").page
    page.locator("[data-panel=weights] > summary").click()
    expect(page.locator("[data-panel=weights] .related a").first).to_be_visible()
    stops = page.eval_on_selector_all(
        "dialog [data-roving]",
        """lists => lists.map(l =>
            [...l.querySelectorAll("a")].filter(a => a.tabIndex === 0).length)""",
    )
    assert set(stops) == {1}


def test_the_skip_link_comes_first_and_leads_to_the_content(visit: Opener) -> None:
    page = visit("conv3.html").page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_link_of_the_page_shown_is_in_view_on_a_phone(visit: Opener) -> None:
    page = visit("classes.html", width=320, height=640).page
    edges = page.eval_on_selector(
        "nav [aria-current]",
        """one => [one, one.parentElement].map(e => e.getBoundingClientRect())
            .map(r => [r.left, r.right])""",
    )
    (left, right), (first, last) = edges
    assert page.evaluate("document.querySelector('nav').scrollLeft") > 0
    assert first <= left
    assert right <= last


@pytest.mark.parametrize("place", [*PAGES, "conv3.html#0", "images.html#1", "classes.html#0"])
def test_at_200_percent_nothing_is_cut_off(visit: Opener, place: str) -> None:
    """A page at 200 % of 1280 × 1024 is laid out in 640 × 512, and so is one with text doubled."""
    page = visit(place, width=640, height=512).page
    wide = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    assert page.evaluate(wide) <= 640
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    page.set_viewport_size({"width": 1280, "height": 900})
    assert page.evaluate(wide) <= 1280
    cut = page.eval_on_selector_all(
        "button, .chips span, .controls label, h1, h2, h3",
        """all => all.filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1
            && getComputedStyle(e).overflowX !== 'visible' && e.clientWidth > 2)
            .map(e => e.textContent.trim())""",
    )
    assert cut == []


def test_reduced_motion_leaves_no_transition(visit: Opener) -> None:
    page = visit("index.html", reduced_motion="reduce").page
    moving = page.eval_on_selector_all(
        "*", "all => all.filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    )
    assert moving == 0
    moved = visit("index.html", reduced_motion="no-preference").page
    assert moved.eval_on_selector_all(
        "*", "all => all.filter(e => getComputedStyle(e).transitionDuration !== '0s').length"
    )


def test_forced_colours_keep_pictures_and_show_what_is_chosen(visit: Opener) -> None:
    page = visit("conv3.html#0", forced_colors="active").page
    assert page.evaluate("matchMedia('(forced-colors: active)').matches")
    adjust = "e => getComputedStyle(e).forcedColorAdjust"
    assert page.locator("[data-entries] .region").first.evaluate(adjust) == "none"
    colour = "e => getComputedStyle(e).backgroundColor"
    chosen = page.locator("[data-bands] :checked + span").evaluate(colour)
    other = page.locator("[data-bands] input:not(:checked) + span").first.evaluate(colour)
    assert chosen != other
    paper = page.locator(".channel-body").evaluate(
        "e => getComputedStyle(document.body).backgroundColor"
    )
    bar = page.locator("[data-histogram] .bar").first.evaluate("e => getComputedStyle(e).fill")
    assert bar != paper


def test_every_chart_of_the_first_page_has_its_table(visit: Opener) -> None:
    page = visit("index.html").page
    charts = page.locator(".chart")
    assert charts.count() >= 2
    for number in range(charts.count()):
        chart = charts.nth(number)
        chart.locator(".as-table summary").click()
        expect(chart.locator("tbody tr")).to_have_count(30)
    loss = charts.filter(has_text="Loss").locator("tbody tr").first.locator("td")
    # The synthetic history: 3 and 2.6 × 0.85 × 0.88 + an offset after the first epoch.
    assert [float(text) for text in loss.all_inner_texts()] == pytest.approx(
        [2.344, 2.345], abs=2e-3
    )


def test_focus_returns_to_the_grid_after_a_channel_and_to_its_button_after_help(
    visit: Opener,
) -> None:
    page = visit("conv2.html").page
    page.locator("[id='3'] a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog.channel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[id='3'] :focus")).to_have_count(1)
    page.locator("[data-help]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog.help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("[data-help]")).to_be_focused()
