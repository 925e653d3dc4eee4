"""The page of Figure 4 in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from pipeline.atlas import open_atlas
from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser

PLACE = "figure-evolution.html"


@pytest.fixture(scope="module")
def figure(run):
    return open_atlas(run.artifacts).figures["evolution"]


def strip(page: Page) -> set[str]:
    """The columns of the sheets that the player shows."""
    images = "all => all.map(i => i.className.split(' ')[0])"
    return set(page.eval_on_selector_all("[data-layer] img", images))


def test_without_javascript_every_channel_is_there_at_every_epoch(visit: Opener, figure) -> None:
    page = visit(PLACE, java_script_enabled=False).page
    expect(page.locator("[data-player]")).to_be_hidden()
    layers, epochs = figure.facts["layers"], figure.facts["epochs"]
    expect(page.locator(".epochs tbody tr")).to_have_count(sum(len(o["channels"]) for o in layers))
    changed = sum(mark for one in layers for row in one["changed"] for mark in row)
    missing = sum(image < 0 for one in layers for row in one["image"] for image in row)
    cells = sum(len(one["channels"]) for one in layers) * len(epochs)
    assert changed > 0
    expect(page.locator(".epochs td.changed small")).to_have_count(changed)
    expect(page.locator(".epochs td img")).to_have_count(cells - missing)


def test_the_arrow_keys_move_all_channels_through_the_epochs(visit: Opener, figure) -> None:
    page = visit(PLACE).page
    last = len(figure.facts["epochs"]) - 1
    assert strip(page) == {f"x{last}"}
    page.get_by_label("Epoch", exact=True).focus()
    page.keyboard.press("Home")
    assert strip(page) == {"x0"}
    expect(page.locator("[data-said]")).to_have_text("start")
    page.keyboard.press("ArrowRight")
    assert strip(page) == {"x1"}
    expect(page.locator("[data-said]")).to_have_text("epoch 10")
    first = figure.facts["layers"][0]
    path = figure.facts["images"][str(first["image"][0][1])]["path"]
    expect(page.locator("[data-value]").first).to_contain_text(path.rsplit("/")[-1])
    expect(page.locator("[data-value]").first).to_have_attribute("title", path)


def test_it_plays_from_the_start_to_the_end_and_stops(visit: Opener) -> None:
    page = visit(PLACE).page
    page.clock.install()
    button, said = page.locator("[data-play]"), page.locator("[data-said]")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_have_text("Pause")
    expect(said).to_have_text("start")
    page.clock.run_for(1000)
    expect(said).to_have_text("epoch 10")
    page.clock.run_for(1000)
    expect(said).to_have_text("epoch 30")
    expect(button).to_have_text("Play")


def test_nothing_plays_where_motion_is_unwelcome(visit: Opener) -> None:
    page = visit(PLACE, reduced_motion="reduce").page
    expect(page.locator("[data-play]")).to_be_hidden()
    page.get_by_label("Epoch", exact=True).focus()
    page.keyboard.press("Home")
    assert strip(page) == {"x0"}
