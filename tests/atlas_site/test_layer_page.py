"""A layer’s page in a real browser: its grid, sorted, filtered and drawn."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.atlas_site.browsing import CARDS, scroll_through, shown, wait_for_texts
from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser


def test_arrows_and_enter_walk_the_grid(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.closest('li').id") == "1"
    page.keyboard.press("ArrowDown")
    below = int(page.evaluate("document.activeElement.closest('li').id"))
    assert below > 1
    assert (
        page.evaluate(
            "[1, %d].map(n => document.getElementById(n).offsetLeft)" % below  # noqa: UP031
        )
        == [page.evaluate("document.getElementById(1).offsetLeft")] * 2
    )
    page.keyboard.press("Enter")
    expect(page.locator("[data-number]")).to_have_text(str(below))


def test_a_grid_is_one_tab_stop(visit: Opener) -> None:
    page = visit("conv2.html").page
    stops = f"{CARDS} a:not([tabindex='-1'])"
    assert page.locator(stops).count() == 1
    page.locator(stops).focus()
    page.keyboard.press("End")
    assert page.evaluate("document.activeElement.closest('li').id") == str(
        page.locator(CARDS).count() - 1
    )
    assert page.locator(stops).count() == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('[data-grid]')") is None


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("patches", "(c, n) => c.patches[n] === null ? 9 : -c.patches[n]"),
        ("peak", "(c, n) => -c.peak[n]"),
        ("fired", "(c, n) => -c.fired[n]"),
        ("selectivity", "(c, n) => -c.selectivity[n]"),
        ("effective", "(c, n) => c.image[n].length ? c.effective[n] : Infinity"),
    ],
)
def test_sorting_orders_by_the_value_then_by_number(visit: Opener, sort: str, key: str) -> None:
    page = visit("conv3.html").page
    page.select_option("[name=sort]", sort)
    values = page.evaluate(
        f"(({{ columns }}) => columns.image.map((_, n) => ({key})(columns, n)))(Atlas.data.conv3)"
    )
    expected = sorted(range(len(values)), key=lambda n: (values[n] or 0, n))
    if sort == "effective":
        expected.remove(1)
        expected.append(1)
    assert shown(page) == expected


def test_sorting_by_name_puts_the_named_first_by_their_letters(visit: Opener) -> None:
    page = visit("conv1.html").page
    page.evaluate("Atlas.setName('conv1', 7, ['eye <i>', '', ''])")
    page.evaluate("Atlas.setName('conv1', 2, ['arc 10', '', ''])")
    page.evaluate("Atlas.setName('conv1', 5, ['arc 9', '', ''])")
    page.select_option("[name=sort]", "name")
    expect(page.locator(CARDS).first).to_have_id("5")
    assert shown(page)[:4] == [5, 2, 0, 7]
    assert shown(page)[4:] == [n for n in range(len(shown(page))) if n not in (5, 2, 0, 7)]


def test_a_card_has_the_name_of_its_channel_and_this_browsers_before_the_atlass(
    visit: Opener,
) -> None:
    page = visit("conv1.html").page
    name = page.locator(f"{CARDS} .label strong")
    assert name.all_inner_texts() == ['edge <b>"x"</b>']
    page.evaluate("Atlas.setName('conv1', 0, ['own <i>', '', 'lines'])")
    page.evaluate("Atlas.setName('conv1', 3, ['arc', '', 'curves'])")
    assert name.all_inner_texts() == ["own <i>", "arc"]
    page.select_option("[name=sort]", "family")
    expect(page.locator(CARDS).first).to_have_id("3")
    page.reload()
    assert name.all_inner_texts() == ["own <i>", "arc"]
    page.goto(page.url + "#3")
    expect(page.locator("[data-given]")).to_have_text("arc")


def test_filtering_by_class_keeps_channels_that_hold_its_images(visit: Opener) -> None:
    page = visit("conv3.html").page
    page.select_option("[name=class]", "1")
    wait_for_texts(page)
    holding = page.evaluate(
        """Atlas.data.conv3.columns.image.flatMap((c, n) =>
            c.some(i => Atlas.data.images.label[i] === 1) ? [n] : [])"""
    )
    assert shown(page) == holding


def test_dead_channels_can_be_hidden_or_shown_alone(visit: Opener) -> None:
    page = visit("conv3.html").page
    page.select_option("[name=dead]", "only")
    assert shown(page) == [1]
    page.select_option("[name=dead]", "hide")
    assert 1 not in shown(page)
    expect(page.locator("[data-count]")).to_have_text("37 of 38 channels")


@pytest.mark.parametrize("text", ["onerror=alert", 'it\'s "quoted"', "a#b?c=d&e", "100% <b>", "🦊"])
def test_searching_finds_hostile_classes_and_files(visit: Opener, text: str) -> None:
    watched = visit("conv3.html")
    page = watched.page
    page.fill("[name=search]", text)
    wait_for_texts(page)
    assert shown(page)
    page.fill("[name=search]", "no such thing")
    expect(page.locator("[data-nothing]")).to_be_visible()
    page.locator("[data-reset]").click()
    expect(page.locator("[data-count]")).to_have_text("38 channels")
    assert watched.complaints == []


def test_a_number_finds_its_channel(visit: Opener) -> None:
    page = visit("conv3.html").page
    page.fill("[name=search]", "23")
    wait_for_texts(page)
    assert 23 in shown(page)


@pytest.mark.parametrize(
    ("mode", "projections", "crops"),
    [("both", True, True), ("projections", True, False), ("crops", False, True)],
)
def test_a_mode_shows_what_it_names(
    visit: Opener, mode: str, projections: bool, crops: bool
) -> None:
    page = visit("conv3.html").page
    page.check(f"[name=mode][value={mode}]", force=True)
    card = page.locator(f"{CARDS}[id='0']")
    expect(card.locator(".projections")).to_be_visible(visible=projections)
    expect(card.locator(".crops")).to_be_visible(visible=crops)


def test_hover_swaps_projections_for_crops(visit: Opener) -> None:
    page = visit("conv3.html").page
    page.check("[name=mode][value=swap]", force=True)
    card = page.locator(f"{CARDS}[id='0']")
    expect(card.locator(".crops")).to_have_css("opacity", "0")
    card.hover()
    expect(card.locator(".crops")).to_have_css("opacity", "1")


def test_tile_size_is_kept_and_large_tiles_use_the_large_pictures(visit: Opener) -> None:
    page = visit("conv3.html").page
    small = page.locator(f"{CARDS}[id='0']").bounding_box()
    page.check("[name=size][value=l]", force=True)
    large = page.locator(f"{CARDS}[id='0']").bounding_box()
    assert small is not None
    assert large is not None
    assert large["width"] > 1.3 * small["width"]
    expect(page.locator(f"{CARDS}[id='0'] img").first).to_have_attribute(
        "src", "tiles/conv3/0.webp"
    )
    page.reload()
    expect(page.locator("[name=size][value=l]")).to_be_checked()


def test_filters_that_are_still_their_start_are_marked(visit: Opener) -> None:
    page = visit("conv1.html").page
    assert page.locator(".filters .still-start").count() == 1
    expect(page.locator(".filters li a").first).to_have_class("still-start")
    expect(page.locator(".method")).to_contain_text("cosine with the start")


def test_without_javascript_every_channel_shows_its_pictures(visit: Opener) -> None:
    watched = visit("conv3.html", java_script_enabled=False)
    page = watched.page
    cards = page.locator(CARDS)
    assert cards.count() == 38
    assert page.locator(f"{CARDS} .projections img").count() == 37
    assert page.locator(f"{CARDS} .crops img").count() == 37
    expect(page.locator("[data-controls]")).to_be_hidden()
    page.locator(f"{CARDS}[id='0'] a").click()
    assert page.url.endswith("tiles/conv3/0.webp")


def test_nothing_moves_while_a_layer_page_loads_and_scrolls(visit: Opener) -> None:
    page = visit("conv2.html", width=390, height=844).page
    page.evaluate(
        """window.shift = 0;
        new PerformanceObserver(list => {
            for (const e of list.getEntries()) window.shift += e.value;
        }).observe({type: 'layout-shift', buffered: true});"""
    )
    scroll_through(page)
    assert page.evaluate("window.shift") == 0


def test_a_sprite_s_zeros_are_mid_grey(site: Path) -> None:
    import numpy as np
    from PIL import Image

    sprite = np.asarray(Image.open(site / "tiles" / "conv3" / "2.webp").convert("RGB"))
    missing = sprite[-40:, : sprite.shape[1] // 2]
    assert np.abs(missing.astype(int) - 128).max() <= 2
