"""The page of all channels in a real browser: the map, and lists."""

import pytest
from playwright.sync_api import expect

from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser


def test_a_list_lives_in_the_address_and_is_shown_in_its_order(visit: Opener) -> None:
    watched = visit("channels.html#conv3:5,conv1:0,conv3:5,conv9:1,conv2:99999,%3Cimg%3E:1")
    page = watched.page
    cards = page.locator("[data-listed] > li b")
    expect(cards).to_have_count(2)
    assert cards.all_inner_texts() == ["conv3 5", "conv1 0"]
    assert watched.complaints == []


def test_a_list_is_printed_with_its_pictures_and_nothing_to_press(visit: Opener) -> None:
    page = visit("channels.html#conv3:5,conv1:0").page
    page.emulate_media(media="print")
    cards = page.locator("[data-listed] > li")
    expect(cards).to_have_count(2)
    expect(cards.locator("b")).to_have_text(["conv3 5", "conv1 0"])
    for card in cards.all():
        expect(card).to_have_css("break-inside", "avoid")
        expect(card.locator(".region").first).to_have_css("print-color-adjust", "exact")
    assert page.locator(":is(button, nav, footer):visible").count() == 0
    assert page.pdf().startswith(b"%PDF")


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


def test_a_click_on_the_map_opens_the_channel_there(visit: Opener) -> None:
    watched = visit("channels.html")
    page = watched.page
    page.select_option("[data-map-layer]", "2")
    last = page.evaluate("Atlas.mapPlaces().length - 1")
    where, number = page.evaluate(f"Atlas.mapPlaces()[{last}].slice(0, 2)")
    assert where == 2
    x, y = page.evaluate(f"Atlas.mapPlace({last})")
    canvas = page.locator("[data-canvas]")
    canvas.hover(position={"x": x, "y": y})
    expect(page.locator("[data-map-label]")).to_contain_text(f"conv3 {number}")
    canvas.click(position={"x": x, "y": y})
    page.wait_for_url(f"**/conv3.html#{number}")
    expect(page.locator("#channel-title")).to_have_text(f"conv3 {number}")
    assert watched.complaints == []


def test_the_map_of_one_layer_has_an_address(visit: Opener) -> None:
    page = visit("conv2.html").page
    page.locator(".beside a", has_text="map").click()
    page.wait_for_url("**/channels.html#layer=conv2")
    chosen = page.locator("[data-map-layer]")
    expect(chosen).to_have_value("1")
    chosen.select_option("2")
    page.wait_for_url("**/channels.html#layer=conv3")
    chosen.select_option("")
    page.wait_for_url("**/channels.html#")
    expect(page.locator("[data-list]")).to_be_hidden()


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
