"""The map of channels in a real browser: what it draws when, of which layer, by which keys."""

import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser

COUNT = """() => {
    window.drawn = 0;
    const own = CanvasRenderingContext2D.prototype.drawImage;
    CanvasRenderingContext2D.prototype.drawImage = function (...all) {
        window.drawn++;
        return own.apply(this, all);
    };
}"""
FRAMES = """async (count) => {
    for (let n = 0; n < count; n++) await new Promise(requestAnimationFrame);
    return window.drawn;
}"""
SETTLED = """async () => {
    const sheets = new Set(Atlas.mapPlaces().map(([l, n]) => `${l} ${n >> 4}`)).size;
    for (let still = 0, frames = 0; still < 40; frames++) {
        if (frames > 3000) throw new Error("the map does not come to rest");
        const before = window.drawn;
        await new Promise(requestAnimationFrame);
        still = window.drawn === before && sheets ? still + 1 : 0;
    }
    window.drawn = 0;
}"""


def settled(page: Page) -> Locator:
    """The canvas, once all sheets have come and nothing is drawn any more; counts are then 0."""
    page.wait_for_load_state("networkidle")
    if page.evaluate("window.drawn") is None:
        page.evaluate(COUNT)
    page.evaluate(SETTLED)
    return page.locator("[data-canvas]")


def picture(canvas: Locator) -> np.ndarray:
    """Without the tools at its foot."""
    return np.asarray(Image.open(io.BytesIO(canvas.screenshot())).convert("RGB"))[:-100]


def drag(page: Page, canvas: Locator, x: int, y: int, steps: int) -> None:
    """From the middle."""
    box = canvas.bounding_box()
    assert box is not None
    left, top = box["x"] + box["width"] // 2, box["y"] + box["height"] // 2
    page.mouse.move(left, top)
    page.mouse.down()
    for step in range(1, steps + 1):
        page.mouse.move(left + x * step // steps, top + y * step // steps)
        page.evaluate(FRAMES, 1)
    page.mouse.up()


def test_panning_copies_one_picture_and_draws_no_thumbnail(visit: Opener) -> None:
    watched = visit("channels.html")
    page, canvas = watched.page, settled(watched.page)
    page.mouse.move(5, 5)
    before = picture(canvas)
    page.evaluate("window.drawn = 0")
    drag(page, canvas, 40, 20, 5)
    # Five moves, and what the pointer points at before and after: a copy each.
    assert 1 <= page.evaluate(FRAMES, 2) <= 10
    page.mouse.move(5, 5)
    page.evaluate(FRAMES, 2)
    moved = picture(canvas)
    assert np.abs(moved.astype(int) - before).max() > 0
    assert watched.complaints == []


def test_beyond_its_margin_the_picture_is_drawn_again_and_the_way_back_gives_the_same(
    visit: Opener,
) -> None:
    page = visit("channels.html").page
    canvas = settled(page)
    page.mouse.move(5, 5)
    before = picture(canvas)
    channels = page.evaluate("Atlas.mapPlaces().length")
    drag(page, canvas, 350, 0, 5)
    settled(page)
    drag(page, canvas, -350, 0, 5)
    page.evaluate(FRAMES, 40)
    assert page.evaluate("window.drawn") > channels / 4
    settled(page)
    page.mouse.move(5, 5)
    settled(page)
    assert page.evaluate("Math.abs(Atlas.mapView.x) < 1e-9")
    assert (picture(canvas) == before).all()


def test_a_zoom_scales_the_picture_and_draws_what_is_in_view_when_it_rests(visit: Opener) -> None:
    page = visit("channels.html").page
    canvas = settled(page)
    canvas.hover()
    page.mouse.wheel(0, -1200)
    settled(page)
    assert page.evaluate("Atlas.mapView.zoom") > 10
    page.mouse.wheel(0, -40)
    page.evaluate(FRAMES, 60)
    drawn = page.evaluate("window.drawn")
    assert 2 <= drawn < page.evaluate("Atlas.mapPlaces().length")


@pytest.mark.parametrize(("width", "scale"), [(1001, 1), (390, 2), (1280, 1.25)])
def test_a_pixel_of_the_canvas_is_one_of_the_screen(
    visit: Opener, width: int, scale: float
) -> None:
    page = visit("channels.html", width=width, device_scale_factor=scale).page
    for wide in (width, width - 13):
        page.set_viewport_size({"width": wide, "height": 800})
        page.evaluate(FRAMES, 2)
        left, top, across, pixels = page.evaluate(
            """() => {
                const canvas = document.querySelector("[data-canvas]");
                const edge = canvas.getBoundingClientRect();
                return [...[edge.left, edge.top, edge.width].map(px => px * devicePixelRatio),
                    canvas.width];
            }"""
        )
        assert left == pytest.approx(round(left), abs=0.05)
        assert top == pytest.approx(round(top), abs=0.05)
        assert across == pytest.approx(pixels, abs=0.05)
        assert page.evaluate("document.documentElement.scrollWidth") <= wide


def test_each_layer_has_a_map_of_its_own(visit: Opener) -> None:
    page = visit("channels.html#layer=conv2").page
    of_all = page.evaluate("Atlas.data.map.places.filter(([layer]) => layer === 1)")
    own = page.evaluate("Atlas.mapPlaces()")
    assert [place[:2] for place in own] == [place[:2] for place in of_all]
    assert [place[2:] for place in own] != [place[2:] for place in of_all]
    canvas = settled(page)
    of_conv2 = picture(canvas)
    canvas.hover()
    page.mouse.wheel(0, -400)
    page.select_option("[data-map-layer]", "2")
    assert page.evaluate("Atlas.mapView.zoom") == 1
    assert {place[0] for place in page.evaluate("Atlas.mapPlaces()")} == {2}
    page.mouse.move(5, 5)
    settled(page)
    assert (picture(canvas) != of_conv2).any()
    page.evaluate("location.hash = '#layer=conv2'")
    expect(page.locator("[data-map-layer]")).to_have_value("1")
    settled(page)
    assert (picture(canvas) == of_conv2).all()


def test_keys_point_at_the_channel_in_the_middle_and_enter_opens_it(visit: Opener) -> None:
    watched = visit("channels.html#layer=conv3")
    page = watched.page
    canvas = page.locator("[data-canvas]")
    canvas.focus()
    for key in ("ArrowLeft", "+", "ArrowDown"):
        page.keyboard.press(key)
    number = page.evaluate(
        """() => {
            const canvas = document.querySelector("[data-canvas]");
            const tools = document.querySelector(".map-tools");
            const [x, y] = [canvas.clientWidth / 2, (canvas.clientHeight - tools.clientHeight) / 2];
            const away = Atlas.mapPlaces().map((_, i) => {
                const [left, top] = Atlas.mapPlace(i);
                return Math.hypot(left - x, top - y);
            });
            return Atlas.mapPlaces()[away.indexOf(Math.min(...away))][1];
        }"""
    )
    expect(page.locator("[data-map-label]")).to_contain_text(f"conv3 {number} ")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/conv3.html#{number}")
    expect(page.locator("#channel-title")).to_have_text(f"conv3 {number}")
    assert watched.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ground_of_the_map_follows_the_theme(visit: Opener, scheme: str) -> None:
    page = visit("channels.html").page
    canvas = settled(page)
    page.emulate_media(color_scheme=scheme)
    page.evaluate(FRAMES, 3)
    corner = picture(canvas)[2, 2]
    assert (corner > 200).all() if scheme == "light" else (corner < 60).all()


def test_in_forced_colours_the_map_is_there(visit: Opener) -> None:
    watched = visit("channels.html", forced_colors="active", reduced_motion="reduce")
    canvas = settled(watched.page)
    assert len(np.unique(picture(canvas).reshape(-1, 3), axis=0)) > 100
    assert watched.complaints == []
