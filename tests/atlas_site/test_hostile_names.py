"""Names of names.csv that are markup, wherever pages show them, in a real browser."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from atlas_site.generator import render
from pipeline.atlas import open_atlas
from tests.atlas_site.conftest import Opener, watching
from tests.atlas_site.synthetic_run import HOSTILE, Plan, write_run

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of one layer, all ten channels of which have such a name and note."""
    plan = Plan(layers=("conv1",), classes=("a", "b"), dead={}, partial={}, examples=False)
    run = write_run(tmp_path_factory.mktemp("named") / "run", plan)
    with (run.root / "names.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["layer", "channel", "name", "note", "family"])
        writer.writerows(["conv1", n, f"{HOSTILE}{n}", HOSTILE, HOSTILE] for n in range(10))
    render(open_atlas(run.artifacts), run.site, workers=1)
    return run.site


@pytest.fixture
def visit(chromium: Browser, named: Path) -> Iterator[Opener]:
    with watching(chromium) as opened:
        yield lambda place, **options: opened(f"{named.as_uri()}/{place}", **options)


def test_on_the_map(visit: Opener) -> None:
    watched = visit("channels.html")
    x, y = watched.page.evaluate("Atlas.mapPlace(9)")
    watched.page.locator("[data-canvas]").hover(position={"x": x, "y": y})
    expect(watched.page.locator("[data-map-label]")).to_have_text(f"conv1 9 · {HOSTILE}9")
    assert watched.page.locator("img[onerror]").count() == 0
    assert watched.complaints == []


def test_in_a_handful(visit: Opener) -> None:
    watched = visit("index.html")
    card = watched.page.locator(".handful a").first
    number = card.locator("b").first.inner_text().removeprefix("conv1 ")
    expect(card.locator("i").first).to_have_text(f"{HOSTILE}{number}")
    assert watched.page.locator("img[onerror]").count() == 0
    assert watched.complaints == []


def test_in_a_list(visit: Opener) -> None:
    watched = visit("channels.html#conv1:3,conv1:0")
    cards = watched.page.locator("[data-listed] > li")
    expect(cards.locator("i")).to_have_text([f"{HOSTILE}3", f"{HOSTILE}0"])
    expect(cards.locator("p")).to_have_text([HOSTILE, HOSTILE])
    assert watched.page.locator("img[onerror]").count() == 0
    assert watched.complaints == []
