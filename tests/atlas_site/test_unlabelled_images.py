"""The site of a classifier shown on images without classes."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, expect

from atlas_site.catalogue import Catalogue
from atlas_site.class_page import class_cards
from atlas_site.connections import mean_peak
from atlas_site.generator import render
from pipeline.atlas import open_atlas
from tests.atlas_site.conftest import Opener, watching
from tests.atlas_site.synthetic_run import Plan, write_run

CLASSES = ("ant", "bee", "cow")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("unlabelled") / "site"


@pytest.fixture(scope="module", autouse=True)
def unlabelled(site: Path) -> Catalogue:
    plan = Plan(classes=CLASSES, layers=("conv1", "conv2"), dead={}, partial={}, labelled=False)
    return render(open_atlas(write_run(site.parent / "run", plan).artifacts), site, workers=1)


def test_an_image_without_a_class_is_of_none_and_no_mistake(unlabelled: Catalogue) -> None:
    assert unlabelled.classes == CLASSES
    assert [card.images for card in class_cards(unlabelled)] == [0, 0, 0]
    assert unlabelled.confusion is None
    assert {channel.favourite for layer in unlabelled.layers for channel in layer.channels} == {""}
    held = {row for layer in unlabelled.layers for c in layer.channels for row in c.images}
    assert {image.row for image in unlabelled.images} == held


def test_what_channels_send_comes_from_their_histograms(unlabelled: Catalogue) -> None:
    """Means by class are of no image; a histogram has them to the width of a bin, 1/8."""
    atlas = unlabelled.atlas
    record = atlas.scan("conv1")
    lower = np.arange(64) / 8
    expected = (record.histogram * lower).sum(axis=1) / len(atlas.images)
    np.testing.assert_allclose(mean_peak(atlas, "conv1"), expected)
    assert (expected > 0).all()


@pytest.fixture
def visit(chromium: Browser, site: Path) -> Iterator[Opener]:
    with watching(chromium) as opened:
        yield lambda place, **options: opened(f"{site.as_uri()}/{place}", **options)


@pytest.mark.browser
@pytest.mark.parametrize(
    "place", ["index.html", "conv2.html#0", "images.html", "classes.html", "channels.html"]
)
def test_no_page_complains_or_has_a_link_without_words(visit: Opener, place: str) -> None:
    watched = visit(place)
    watched.page.wait_for_load_state("networkidle")
    empty = """all => all.filter(a => !a.textContent.trim() && !a.querySelector('img[alt]')
        && !a.ariaLabel).map(a => a.outerHTML)"""
    assert watched.page.eval_on_selector_all("a", empty) == []
    assert "undefined" not in watched.page.inner_text("body")
    assert watched.complaints == []


@pytest.mark.browser
def test_a_channel_and_an_image_say_that_there_is_no_class(visit: Opener) -> None:
    page = visit("conv2.html#0").page
    expect(page.locator("[data-entries] .class").first).to_have_text("no class")
    expect(page.locator("[data-entries] .says.wrong")).to_have_count(0)
    expect(page.locator("[data-examples] p").first).to_contain_text("no class")
    page = visit("images.html#0").page
    expect(page.locator(".one-image")).to_contain_text("No class, predicted ant")


@pytest.mark.browser
def test_images_are_filtered_by_prediction_but_not_by_right_and_wrong(visit: Opener) -> None:
    options = visit("images.html").page.locator("[name=predicted] option")
    expect(options).to_have_text(["any", *CLASSES])
