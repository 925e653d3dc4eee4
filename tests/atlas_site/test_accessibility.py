"""axe-core finds nothing on any kind of page, in both themes, on a phone and on a desk."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.atlas_site.conftest import Opener, violations, watching

pytestmark = pytest.mark.browser

PLACES = {
    "index.html": "main h1",
    "conv1.html": "[data-grid]",
    "conv3.html": "[data-grid]",
    "conv3.html#0": "[data-entries] > li",
    "conv3.html#1": "[data-dead]:not([hidden])",
    "images.html": ".gallery li",
    "images.html#1": ".holders section",
    "classes.html": ".class-cards li",
    "classes.html#1": ".one-class h1",
    "figures.html": ".figure-cards li",
    "figure-evolution.html": ".epochs td",
    "figure-invariance.html": "[data-plot]",
    "figure-architecture.html": ".tiny li",
    "figure-occlusion.html": "[data-panels][role]",
    "figure-correspondence.html": ".masked li",
    "channels.html": "[data-canvas]",
    "channels.html#conv3:0,conv1:1": "[data-listed] li",
}


@pytest.fixture
def visit_unguarded(chromium: Browser, site: Path) -> Iterator[Opener]:
    """Pages whose own policy is off, so that the checker may be injected."""
    with watching(chromium) as opened:
        yield lambda place, **o: opened(f"{site.as_uri()}/{place}", bypass_csp=True, **o)


@pytest.mark.parametrize("place", PLACES)
def test_axe_finds_no_violation(visit_unguarded: Opener, axe: str, place: str) -> None:
    page = visit_unguarded(place).page
    page.wait_for_selector(PLACES[place], state="attached")
    page.evaluate(axe)
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert violations(page) == [], f"{scheme} at {width} px"
