"""The pages of images and of classes in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.atlas_site.conftest import Opener
from tests.atlas_site.synthetic_run import HOSTILE, HOSTILE_NAMES

pytestmark = pytest.mark.browser


def test_an_image_lists_exactly_the_channels_that_hold_it(visit: Opener) -> None:
    page = visit("images.html#1").page
    expect(page.locator(".holders section").first).to_be_visible()
    links = page.eval_on_selector_all(".holders a", "all => all.map(a => a.getAttribute('href'))")
    held = page.evaluate(
        """Atlas.data.site.layers.flatMap(({name}) => Atlas.data[name].columns.image.flatMap(
            (held, n) => held.some(i => Atlas.data.images.row[i] === 1)
                ? [`${name}.html#${n}`] : []))"""
    )
    assert sorted(links) == sorted(held)
    page.locator(".holders a").first.hover()
    expect(page.locator(".stage rect.chosen")).to_have_count(1)


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


def test_the_images_are_filtered_by_confidence_on_a_phone_too(visit: Opener) -> None:
    page = visit("images.html#confidence=50-90", width=390, height=844).page
    expect(page.locator("[name=confidence]")).to_be_visible()
    rows = ".gallery > li:not([hidden]) a"
    shown = page.eval_on_selector_all(rows, "all => all.map(a => Number(a.hash.slice(1)))")
    expected = page.evaluate(
        """Atlas.data.images.row.filter((_, i) => Atlas.data.images.predicted[i] >= 0
            && Atlas.data.images.probability[i] >= 0.5 && Atlas.data.images.probability[i] < 0.9)"""
    )
    assert shown == expected
    assert 0 < len(shown) < page.evaluate("Atlas.data.images.row.length")


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


def test_the_confusion_matrix_counts_every_prediction_and_links_its_images(visit: Opener) -> None:
    page = visit("classes.html").page
    cells = page.locator(".matrix td")
    assert cells.count() == 9
    total = sum(int(text) for text in cells.all_inner_texts() if text)
    assert total == 15
    page.locator(".matrix .right a").first.click()
    page.wait_for_url("**/images.html#label=0&predicted=0")
    expect(page.locator("[name=label]")).to_have_value("0")


def test_a_cell_leads_to_as_many_images_as_it_counts(visit: Opener) -> None:
    """Every image of this run is shown."""
    page = visit("classes.html").page
    cell = page.locator(".matrix td:not(.right) a").first
    count = cell.inner_text()
    cell.click()
    page.wait_for_url("**/images.html#label=*")
    expect(page.locator(".gallery > li:not([hidden])")).to_have_count(int(count))
    expect(page.locator("[data-count]")).to_have_text(f"{count} of {count} images shown")


def test_a_class_shows_the_channels_of_every_layer_that_prefer_it_most(visit: Opener) -> None:
    page = visit("classes.html#1").page
    sections = page.locator(".one-class section")
    expect(sections.locator("h2")).to_have_text(["conv3", "conv2", "conv1"])
    for name, section in zip(("conv3", "conv2", "conv1"), sections.all(), strict=True):
        best = page.evaluate(f"Atlas.data.classes.best.{name}[1].map(([n]) => n)")
        hrefs = section.locator("a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert hrefs == [f"{name}.html#{number}" for number in best]
        assert section.locator("img").count() == 2 * len(best)
