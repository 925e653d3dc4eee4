"""The pages of the paper’s other figures in a real browser."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.atlas_site.browsing import words
from tests.atlas_site.conftest import Opener, watching

pytestmark = pytest.mark.browser


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
    page.locator(".figure-cards h2 a").nth(4).click()
    page.wait_for_url("**/figure-occlusion.html")


def test_each_figure_of_the_list_has_a_picture_that_leads_to_it(visit: Opener) -> None:
    page = visit("figures.html").page
    pictures = page.locator(".figure-cover")
    assert pictures.count() == 6
    leads = page.eval_on_selector_all(
        ".figure-cards li",
        """all => all.map(one =>
        one.querySelector('.figure-cover').href === one.querySelector('h2 a').href)""",
    )
    assert leads == [True] * 6
    shown = page.eval_on_selector_all(
        ".figure-cover img", "all => all.map(i => i.naturalWidth && i.clientWidth / i.clientHeight)"
    )
    assert shown == pytest.approx([3] * 6, abs=0.05)
    pictures.nth(3).click()
    page.wait_for_url("**/figure-architecture.html")
