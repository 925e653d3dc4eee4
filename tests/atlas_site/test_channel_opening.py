"""The view of a channel in a real browser: how one gets there, from one to the next, and back."""

import pytest
from playwright.sync_api import expect

from tests.atlas_site.browsing import CARDS, shown
from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser


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
