"""The site in a real browser, opened from disk: what a visitor sees and does."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.atlas_site.conftest import Opener, watching
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
    "channels.html",
    "figures.html",
    "figure-evolution.html",
    "figure-invariance.html",
    "figure-architecture.html",
    "figure-occlusion.html",
    "figure-correspondence.html",
    "channels.html#conv3:0,conv1:1",
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
    differences = {tuple(size) for size in page.eval_on_selector_all("img", wrong)}
    assert differences == (set() if place in ("channels.html", "figures.html") else {(0, 0)})


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


def test_sorting_by_name_puts_the_named_first_by_their_letters(visit: Opener) -> None:
    page = visit("conv1.html").page
    page.evaluate("Atlas.setName('conv1', 7, ['eye <i>', '', ''])")
    page.evaluate("Atlas.setName('conv1', 2, ['arc 10', '', ''])")
    page.evaluate("Atlas.setName('conv1', 5, ['arc 9', '', ''])")
    page.select_option("[name=sort]", "name")
    expect(page.locator(CARDS).first).to_have_id("5")
    assert shown(page)[:4] == [5, 2, 0, 7]
    assert shown(page)[4:] == [n for n in range(len(shown(page))) if n not in (5, 2, 0, 7)]


def test_channels_of_like_filters_are_shown_beside_those_of_like_responses(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    rows = page.evaluate("Atlas.data.conv2.channels[4].alike")
    links = page.locator("[data-alike] a")
    expect(links).to_have_count(len(rows))
    hrefs = links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert hrefs == [f"#{number}" for number, _ in rows]
    expect(links.first).to_contain_text(f"cosine {rows[0][1]:.2f}")


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
    box = page.locator("[data-stage] rect.box")
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
    page.locator(".class-cards a", has=page.get_by_text(HOSTILE, exact=True)).click()
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


def test_the_first_screen_shows_a_handful_of_channels_and_another_at_a_press(visit: Opener) -> None:
    page = visit("index.html").page
    first = page.locator("[data-handful]:not([hidden]) b").all_inner_texts()
    assert len(first) == 6
    assert page.locator("[data-handful]:not([hidden]) img").first.bounding_box()["y"] < 500
    page.locator("[data-another]").click()
    second = page.locator("[data-handful]:not([hidden]) b").all_inner_texts()
    assert not set(first) & set(second)


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


def test_connections_are_the_strongest_by_weight(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    page.locator("[data-panel=weights] > summary").first.click()
    links = page.locator("[data-panel=weights] .related").first.locator("a")
    expect(links).to_have_count(6)
    found = page.evaluate(
        "Atlas.data['weights/conv2'].incoming[4].map(([l, n]) => `conv${l + 1} ${n}`)"
    )
    assert links.locator("b").all_inner_texts() == found
    strengths = page.evaluate("Atlas.data['weights/conv2'].incoming[4].map(c => Math.abs(c[2]))")
    assert strengths == sorted(strengths, reverse=True)
    assert page.locator("[data-panel=weights] .kernel rect").count() > 0
    links.first.click()
    expect(page.locator("#channel-title")).to_have_text(found[0])


def test_the_control_is_shown_beside_the_trained_projection_on_demand(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    assert page.locator(".control-pair").count() == 0
    page.locator("[data-panel=control] > summary").click()
    expect(page.locator(".control-pair")).to_have_count(2)
    expect(page.locator("[data-panel=control]")).to_contain_text("0.25")
    expect(page.locator(".control-pair img").last).to_have_attribute(
        "src", "tiles/conv2/control-0.webp"
    )


def test_the_energy_box_is_a_second_dashed_frame(visit: Opener) -> None:
    page = visit("conv2.html#0").page
    box = page.evaluate("Atlas.data.conv2.channels[0].energy[0]")
    frame = page.locator("[data-stage] rect.energy")
    expect(frame).to_have_attribute("y", str(box[0]))
    expect(frame).to_have_attribute("width", str(box[3] - box[1]))


def test_filters_that_are_still_their_start_are_marked(visit: Opener) -> None:
    page = visit("conv1.html").page
    assert page.locator(".filters .still-start").count() == 1
    expect(page.locator(".filters li a").first).to_have_class("still-start")
    expect(page.locator(".method")).to_contain_text("cosine with the start")


def test_a_picture_of_a_channel_is_saved_offline(visit: Opener) -> None:
    import io

    from PIL import Image

    watched = visit("conv3.html#0")
    page = watched.page
    with page.expect_download() as waiting:
        page.locator("[data-save]").click()
    assert waiting.value.suggested_filename == "conv3-0.png"
    with Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 500
    assert watched.complaints == []


def test_a_channel_is_copied_as_markdown_without_markup_of_its_names(visit: Opener) -> None:
    page = visit("conv2.html#0", permissions=["clipboard-read", "clipboard-write"]).page
    page.locator("[data-markdown]").click()
    expect(page.locator("[data-toast]")).to_have_text("Markdown copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith("[conv2 0](<file://")
    assert text.count("\n") >= 9
    assert "<script" not in text.replace("\\<", "")


def test_a_list_lives_in_the_address_and_is_shown_in_its_order(visit: Opener) -> None:
    watched = visit("channels.html#conv3:5,conv1:0,conv3:5,conv9:1,conv2:99999,%3Cimg%3E:1")
    page = watched.page
    cards = page.locator("[data-listed] > li b")
    expect(cards).to_have_count(2)
    assert cards.all_inner_texts() == ["conv3 5", "conv1 0"]
    assert watched.complaints == []


def test_a_list_holds_150_channels(visit: Opener) -> None:
    places = ",".join(f"conv{1 + n % 3}:{n // 3}" for n in range(600))
    page = visit(f"channels.html#{places}").page
    assert page.evaluate(f"Atlas.parseList('{places}').length") == 150


def test_a_channel_is_added_to_the_list_and_taken_out_again(visit: Opener) -> None:
    page = visit("conv2.html#3").page
    page.locator("[data-add]").click()
    expect(page.locator("[data-add]")).to_have_text("In the list")
    page.goto(page.url.replace("conv2.html#3", "channels.html"))
    page.locator("[data-list-link]").click()
    expect(page.locator("[data-listed] b")).to_have_text(["conv2 3"])
    page.locator("[data-list-clear]").click()
    expect(page.locator("[data-list]")).to_be_hidden()


def test_a_name_is_kept_found_and_saved_as_the_workspace_takes_it(visit: Opener) -> None:
    page = visit("conv2.html#3").page
    page.locator("[data-panel=name] > summary").click()
    page.locator("[data-naming] [name=name]").fill('a "curve", <b>')
    with page.expect_download() as waiting:
        page.locator("[data-export]").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "layer,channel,name,note,family"
    assert 'conv2,3,"a ""curve"", <b>",,' in lines
    page.reload()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.locator("[data-query]").fill('"curve"')
    expect(page.locator("[data-found] .small-grid a")).to_contain_text("conv2 3")


def test_the_images_are_filtered_by_class_and_outcome_from_the_address(visit: Opener) -> None:
    page = visit("images.html#label=1&predicted=wrong").page
    shown_rows = page.eval_on_selector_all(
        ".gallery > li",
        "all => all.filter(l => !l.hidden).map(l => Number(l.firstElementChild.hash.slice(1)))",
    )
    expected = page.evaluate(
        """Atlas.data.images.row.filter((_, i) =>
            Atlas.data.images.label[i] === 1 && Atlas.data.images.predicted[i] !== 1)"""
    )
    assert shown_rows == expected
    page.select_option("[name=predicted]", "")
    page.select_option("[name=sort]", "unsure")
    probabilities = page.evaluate(
        """[...document.querySelectorAll('.gallery > li:not([hidden]) a')].map(a =>
            Atlas.data.images.probability[Atlas.data.images.row.indexOf(Number(a.hash.slice(1)))])"""
    )
    assert probabilities == sorted(probabilities)
    assert "sort=unsure" in page.url


def test_the_confusion_matrix_counts_every_prediction_and_links_its_images(visit: Opener) -> None:
    page = visit("classes.html").page
    cells = page.locator(".matrix td")
    assert cells.count() == 9
    total = sum(int(text) for text in cells.all_inner_texts() if text)
    assert total == 15
    page.locator(".matrix .right a").first.click()
    page.wait_for_url("**/images.html#label=0&predicted=0")
    expect(page.locator("[name=label]")).to_have_value("0")


def test_a_class_shows_the_channels_of_every_layer_that_prefer_it_most(visit: Opener) -> None:
    page = visit("classes.html#1").page
    sections = page.locator(".one-class section")
    expect(sections.locator("h2")).to_have_text(["conv3", "conv2", "conv1"])
    for name, section in zip(("conv3", "conv2", "conv1"), sections.all(), strict=True):
        best = page.evaluate(f"Atlas.data.classes.best.{name}[1].map(([n]) => n)")
        hrefs = section.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert hrefs == [f"{name}.html#{number}" for number in best]
        assert section.locator("img").count() == 2 * len(best)


def test_focus_returns_after_the_search(visit: Opener) -> None:
    page = visit("index.html").page
    page.locator("[data-search-button]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-search]")).to_be_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.matches('[data-search-button]')")


def test_an_embedded_channel_stands_alone(visit: Opener) -> None:
    watched = visit("conv2.html?embed#3", width=900, height=520)
    page = watched.page
    expect(page.locator("#channel-title")).to_have_text("conv2 3")
    expect(page.locator("[data-entries] > li")).to_have_count(9)
    for hidden in (".top", "footer", "[data-close]", "[data-side]"):
        expect(page.locator(hidden).first).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#channel-title")).to_be_visible()
    assert watched.complaints == []


def test_a_click_on_the_map_opens_the_channel_there(visit: Opener) -> None:
    watched = visit("channels.html")
    page = watched.page
    page.select_option("[data-map-layer]", "2")
    last = page.evaluate("Atlas.data.map.places.length - 1")
    where, number = page.evaluate(f"Atlas.data.map.places[{last}].slice(0, 2)")
    assert where == 2
    x, y = page.evaluate(f"Atlas.mapPlace({last})")
    canvas = page.locator("[data-canvas]")
    canvas.hover(position={"x": x, "y": y})
    expect(page.locator("[data-map-label]")).to_contain_text(f"conv3 {number}")
    canvas.click(position={"x": x, "y": y})
    expect(page.locator("#channel-title")).to_have_text(f"conv3 {number}")
    assert watched.complaints == []


def test_the_map_pans_and_zooms_by_pointer_wheel_and_keys(visit: Opener) -> None:
    page = visit("channels.html").page
    canvas = page.locator("[data-canvas]")
    canvas.hover()
    page.mouse.down()
    page.mouse.move(700, 500)
    page.mouse.up()
    assert page.evaluate("Atlas.mapView.x !== 0")
    assert "channels.html" in page.url
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(50)
    zoom = page.evaluate("Atlas.mapView.zoom")
    assert zoom > 1
    canvas.focus()
    page.keyboard.press("-")
    assert page.evaluate("Atlas.mapView.zoom") < zoom


def test_the_list_beside_the_map_holds_every_channel_that_is_not_dead(visit: Opener) -> None:
    page = visit("channels.html").page
    links = page.eval_on_selector_all(".by-class a", "all => all.map(a => a.getAttribute('href'))")
    places = page.evaluate(
        "Atlas.data.map.places.map(([l, n]) => `${Atlas.data.site.layers[l].key}.html#${n}`)"
    )
    assert sorted(links) == sorted(places)


def test_a_picture_that_is_not_there_is_a_complaint(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text('<img src="gone.webp" alt="">', encoding="utf-8")
    with watching(chromium) as opened:
        watched = opened((tmp_path / "page.html").as_uri())
        watched.page.wait_for_load_state("load")
        assert any("gone.webp" in complaint for complaint in watched.complaints)
        assert any(complaint.startswith("failed: ") for complaint in watched.complaints)


def words(page: Page, selector: str) -> list[str]:
    return page.locator(selector).all_text_contents()


def test_a_slider_moves_the_images_of_figure_5_and_their_numbers(visit: Opener) -> None:
    page = visit("figure-invariance.html").page
    group = page.locator("[data-group=translation]")
    expect(group.locator("[data-said]")).to_have_text("0 px")
    numbers = "[data-group=translation] [data-value]"
    assert all(text.startswith("0.00 · 0.00 · p") for text in words(page, numbers))
    group.locator("[data-amount]").focus()
    page.keyboard.press("End")
    expect(group.locator("[data-said]")).to_have_text("12.0 px")
    assert not any(text.startswith("0.00") for text in words(page, numbers))
    assert group.locator("img").first.get_attribute("class") == "x4 y0"
    first = page.locator("[data-group=translation] tbody tr").nth(4).locator("td").first
    assert float(words(page, numbers)[0].split(" ")[0]) == pytest.approx(
        float(first.text_content() or ""), abs=0.006
    )


def test_the_pointer_over_a_curve_shows_the_amount_there(visit: Opener) -> None:
    page = visit("figure-invariance.html").page
    plot = page.locator("[data-group=scale] [data-plot]").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + 0.97 * box["width"], box["y"] + box["height"] / 2)
    expect(page.locator("[data-group=scale] [data-said]")).to_have_text("1.80 ×")


def test_the_square_of_figure_7_follows_pointer_and_arrow_keys(visit: Opener) -> None:
    page = visit("figure-occlusion.html").page
    subject = page.locator("[data-subject='0']")
    stage = subject.locator(".stage").nth(1)
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    assert box
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] - 3)
    said = subject.locator("[data-said]")
    expect(said).to_contain_text("Square at row 48, column 0:")
    probability = subject.locator("details").nth(1).locator("tbody tr").nth(4).locator("td").first
    assert float(probability.text_content() or "") == pytest.approx(
        float((said.text_content() or "").split("without), ")[1].split(" (")[0].split(" ")[-1]),
        abs=0.006,
    )
    assert subject.locator("[data-square]").first.get_attribute("y") == "48"
    subject.locator("[data-panels]").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("Square at row 36, column 12:")


def test_figures_are_read_without_javascript(chromium: Browser, site: Path) -> None:
    with watching(chromium) as opened:
        for name in ("invariance", "occlusion", "correspondence"):
            watched = opened(f"{site.as_uri()}/figure-{name}.html", java_script_enabled=False)
            page = watched.page
            assert page.locator("main img").count() >= 3
            assert page.locator("main table").count() >= 2
            assert page.locator("main input:visible").count() == 0
            if page.locator("details").count():
                page.locator("summary").first.click()
                expect(page.locator("details table").first).to_be_visible()
            assert watched.complaints == []


def test_the_list_of_figures_links_to_each(visit: Opener) -> None:
    page = visit("index.html").page
    page.locator("nav a", has_text="figures").click()
    page.wait_for_url("**/figures.html")
    listed = [f"Figure {number}" for number in (2, 4, 5, 6, 7)]
    assert words(page, ".figure-cards small") == [*listed, "Table 1"]
    page.locator(".figure-cards a").nth(4).click()
    page.wait_for_url("**/figure-occlusion.html")
