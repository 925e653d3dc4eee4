"""The site in a real browser, opened from disk: what a visitor sees and does."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.atlas_site.conftest import Opener
from tests.atlas_site.synthetic_run import HOSTILE, HOSTILE_NAMES

pytestmark = pytest.mark.browser

PLACES = [
    "index.html",
    "conv1.html",
    "conv3.html",
    "conv3.html#0",
    "conv3.html#1",
    "conv3.html#2",
    "images.html",
    "images.html#1",
    "classes.html",
    "classes.html#0",
]
CARDS = "[data-grid] > li"


def shown(page: Page) -> list[int]:
    return page.eval_on_selector_all(
        CARDS, "cards => cards.filter(c => !c.hidden).map(c => Number(c.id))"
    )


def scroll_through(page: Page) -> None:
    page.evaluate(
        """async () => {
            for (let y = 0; y < document.body.scrollHeight; y += 500) {
                scrollTo(0, y);
                await new Promise(requestAnimationFrame);
            }
        }"""
    )
    page.wait_for_load_state("networkidle")


def wait_for_texts(page: Page) -> None:
    """Until the texts that are searched have come; `wait_for_function` needs an eval that the
    pages' policy forbids."""
    page.evaluate(
        """async () => {
            for (let frame = 0; !Atlas.data.images?.text; frame++) {
                if (frame > 1200) throw new Error("the texts did not come");
                await new Promise(requestAnimationFrame);
            }
            await new Promise(requestAnimationFrame);
        }"""
    )


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
    assert {tuple(size) for size in page.eval_on_selector_all("img", wrong)} == {(0, 0)}


def test_a_deep_link_opens_its_channel(visit: Opener) -> None:
    page = visit("conv3.html#7").page
    expect(page.locator("#channel-title")).to_have_text("conv3 7")
    expect(page.locator("[data-entries] > li")).to_have_count(9)


def test_a_card_opens_its_channel_and_escape_returns_to_it(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.locator(f"{CARDS}[id='4'] a").click()
    expect(page.locator("#channel-title")).to_have_text("conv2 4")
    assert page.url.endswith("conv2.html#4")
    page.keyboard.press("Escape")
    expect(page.locator("dialog.channel")).to_be_hidden()
    page.wait_for_url("**/conv2.html")
    assert page.evaluate("document.activeElement.closest('li').id") == "4"


def test_back_closes_a_channel_and_forward_opens_it(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.locator(f"{CARDS}[id='3'] a").click()
    expect(page.locator("dialog.channel")).to_be_visible()
    page.go_back()
    expect(page.locator("dialog.channel")).to_be_hidden()
    page.go_forward()
    expect(page.locator("#channel-title")).to_have_text("conv2 3")


def test_a_dead_channel_says_so(visit: Opener) -> None:
    page = visit("conv3.html#1").page
    expect(page.locator("[data-dead]")).to_be_visible()
    expect(page.locator("[data-entries] > li")).to_have_count(0)
    expect(page.locator(f"{CARDS}[id='1'] .dead-block")).to_have_text("dead")


def test_a_channel_with_few_images_shows_only_those(visit: Opener) -> None:
    page = visit("conv3.html#2").page
    expect(page.locator("[data-entries] > li")).to_have_count(4)


def test_arrow_keys_step_through_channels_in_the_order_shown(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.select_option("[name=sort]", "peak")
    order = shown(page)
    page.goto(f"{page.url.split('#')[0]}#{order[3]}")
    expect(page.locator("[data-number]")).to_have_text(str(order[3]))
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-number]")).to_have_text(str(order[4]))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("[data-number]")).to_have_text(str(order[2]))


def test_up_and_down_choose_among_the_entries(visit: Opener) -> None:
    page = visit("conv2.html#0").page
    pressed = page.locator("[data-entries] [aria-pressed=true]")
    expect(pressed).to_have_attribute("data-rank", "0")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(pressed).to_have_attribute("data-rank", "2")
    expect(page.locator("[data-whole]")).to_contain_text("rank 3")


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


def test_question_mark_shows_the_keys(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.keyboard.press("?")
    expect(page.locator("dialog.help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog.help")).to_be_hidden()


def test_r_opens_a_random_channel(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.keyboard.press("r")
    expect(page.locator("dialog.channel")).to_be_visible()


def test_copy_link_copies_the_deep_link(visit: Opener) -> None:
    page = visit("conv2.html#5", permissions=["clipboard-read", "clipboard-write"]).page
    page.locator("[data-copy]").click()
    expect(page.locator("[data-toast]")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("conv2.html#5")


@pytest.mark.parametrize(
    ("sort", "key"),
    [
        ("peak", "c => -c.peak"),
        ("fired", "c => -c.fired"),
        ("selectivity", "c => -c.selectivity"),
        ("effective", "c => c.image.length ? c.effective : Infinity"),
    ],
)
def test_sorting_orders_by_the_value_then_by_number(visit: Opener, sort: str, key: str) -> None:
    page = visit("conv3.html").page
    page.select_option("[name=sort]", sort)
    values = page.evaluate(f"Atlas.data.conv3.channels.map({key})")
    expected = sorted(range(len(values)), key=lambda n: (values[n] or 0, n))
    if sort == "effective":
        expected.remove(1)
        expected.append(1)
    assert shown(page) == expected


def test_filtering_by_class_keeps_channels_that_hold_its_images(visit: Opener) -> None:
    page = visit("conv3.html").page
    page.select_option("[name=class]", "1")
    wait_for_texts(page)
    holding = page.evaluate(
        """Atlas.data.conv3.channels.flatMap((c, n) =>
            c.image.some(i => Atlas.data.images.label[i] === 1) ? [n] : [])"""
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


def test_contrast_changes_projections_and_leaves_mid_grey(visit: Opener) -> None:
    page = visit("conv3.html#0").page
    page.locator("[data-contrast]").fill("2")
    table = page.locator("#tone feFuncR").get_attribute("tableValues")
    assert table is not None
    values = [float(v) for v in table.split()]
    assert values[len(values) // 2] == 0.5
    assert values[0] == 0
    assert values[-1] == 1
    assert [round(1 - v, 4) for v in values] == values[::-1]
    tile = page.locator("[data-entries] .projections").first
    expect(tile).to_have_css("filter", 'url("#tone")')
    page.locator("[data-contrast]").fill("0")
    expect(tile).to_have_css("filter", "none")
    expect(page.locator("[data-entries] .crops").first).to_have_css("filter", "none")


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


def test_the_box_is_drawn_where_the_scan_says(visit: Opener) -> None:
    page = visit("conv2.html#0").page
    corner = page.evaluate("Atlas.data.conv2.channels[0].corner[0]")
    box = page.locator("[data-stage] rect")
    expect(box).to_have_attribute("y", str(corner[0]))
    expect(box).to_have_attribute("x", str(corner[1]))
    expect(box).to_have_attribute("width", "27")


def test_an_image_lists_exactly_the_channels_that_hold_it(visit: Opener) -> None:
    page = visit("images.html#1").page
    expect(page.locator(".holders section").first).to_be_visible()
    links = page.eval_on_selector_all(".holders a", "all => all.map(a => a.getAttribute('href'))")
    held = page.evaluate(
        """Atlas.data.site.layers.flatMap(({name}) => Atlas.data[name].channels.flatMap((c, n) =>
            c.image.some(i => Atlas.data.images.row[i] === 1) ? [`${name}.html#${n}`] : []))"""
    )
    assert sorted(links) == sorted(held)
    page.locator(".holders a").first.hover()
    expect(page.locator(".stage rect.chosen")).to_have_count(1)


def test_hostile_names_stay_text_and_their_links_work(visit: Opener) -> None:
    watched = visit("classes.html")
    page = watched.page
    page.get_by_role("link", name=HOSTILE).click()
    expect(page.locator(".one-class h1")).to_have_text(HOSTILE)
    page.locator(".strip a").first.click()
    expect(page.locator(".one-image h1")).to_be_visible()
    assert page.locator(".one-image h1").inner_text() in {
        name.replace("\u2028", "\u2028") for name in HOSTILE_NAMES
    } | {"0004.png"}
    page.locator(".one-image p a").click()
    expect(page.locator(".one-class h1")).to_have_text(HOSTILE)
    assert page.locator("img[onerror]").count() == 0
    assert watched.complaints == []


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


@pytest.mark.parametrize("place", PLACES)
def test_no_page_is_wider_than_the_screen(visit: Opener, place: str) -> None:
    page = visit(place).page
    wide = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    for width in (390, 768, 1024, 1600):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(wide) <= width


def test_a_sprite_s_zeros_are_mid_grey(site: Path) -> None:
    import numpy as np
    from PIL import Image

    sprite = np.asarray(Image.open(site / "tiles" / "conv3" / "2.webp").convert("RGB"))
    missing = sprite[-40:, : sprite.shape[1] // 2]
    assert np.abs(missing.astype(int) - 128).max() <= 2
