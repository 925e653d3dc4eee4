"""The pages of classes and images of a network of 1,000 classes, in a real browser."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from atlas_site.catalogue import Catalogue, ShownImage
from atlas_site.channel_data import channel_data
from atlas_site.class_page import class_cards, matrix
from atlas_site.confusion import Confusion
from atlas_site.data import class_data, image_data, layer_data, search_data, site_data
from atlas_site.script import data_script
from atlas_site.sprites import image_region
from atlas_site.templating import ASSETS, environment, render_page
from pipeline.atlas import Prediction
from tests.atlas_site.conftest import Opener, watching

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CLASSES = 1000
GROUP = 5


def mistakes() -> Counter[tuple[int, int]]:
    """Groups of five whose members are 200 apart, 40 of 50 images right, 2 for each of the others
    of a group, 2 for a class far away."""
    counts = Counter[tuple[int, int]]()
    for number in range(CLASSES):
        counts[number, number] = 40
        for step in range(1, GROUP):
            counts[number, (number + step * CLASSES // GROUP) % CLASSES] = 2
        counts[number, (7 * number + 1) % CLASSES] += 2
    return counts


@pytest.fixture(scope="module")
def many(catalogue: Catalogue) -> Catalogue:
    names = (*catalogue.classes, *(f"a class named {n:03}" for n in range(3, CLASSES)))
    place = len(catalogue.images)
    region = image_region(place, catalogue.image_px)
    wrong = ShownImage(999, "a/wrong one.png", "ant", Prediction(999, "bee", 0.5), region)
    made = replace(catalogue, classes=names, images=(*catalogue.images, wrong))
    vars(made)["confusion"] = Confusion(names, mistakes())
    return made


@pytest.fixture(scope="module")
def site(many: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The two pages with their data, without pictures."""
    out = tmp_path_factory.mktemp("many")
    shutil.copytree(ASSETS, out / "assets")
    (out / "assets" / "placement.css").touch()
    (out / "data" / "channels").mkdir(parents=True)
    values = {
        "site": site_data(many),
        "images": image_data(many),
        "classes": class_data(many),
        "search": search_data(many),
        **{layer.key: layer_data(many, layer) for layer in many.layers},
    }
    for layer in many.layers:
        values |= channel_data(many, layer, [])
    for name, value in values.items():
        (out / "data" / f"{name}.js").write_text(data_script(name, value), encoding="ascii")
    shared = {"catalogue": many, "layers": many.layers, "figure_cards": []}
    shared |= {"given_name": lambda _: "", "cards": class_cards(many), "matrix": matrix(many)}
    for page in ("classes.html", "images.html"):
        text = render_page(environment(), page, shared)
        (out / page).write_text(text, encoding="utf-8")
    return out


@pytest.fixture
def visit(chromium: Browser, site: Path) -> Iterator[Opener]:
    with watching(chromium) as opened:
        yield lambda place, **options: opened(f"{site.as_uri()}/{place}", **options)


def test_a_part_of_the_confusion_is_read_as_a_table(visit: Opener) -> None:
    page = visit("classes.html", width=390).page
    page.select_option("[data-around]", "700")
    table = page.locator("[data-confused-table] table")
    rows = table.locator("tbody th").all_inner_texts()
    assert len(rows) == table.locator("thead th").count() - 1 == 8
    assert "a class named 700" in rows
    # Its four companions are beside it.
    assert {f"a class named {n}" for n in (100, 300, 500, 900)} <= set(rows)
    counts = mistakes()
    number = {name: int(name[-3:]) for name in rows}
    cells = table.locator("tbody tr").nth(rows.index("a class named 700")).locator("td")
    expected = [counts[700, number[name]] for name in rows]
    assert [int(text or 0) for text in cells.all_inner_texts()] == expected
    wide = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    assert page.evaluate(wide) <= 390


def test_a_press_or_an_arrow_key_moves_the_part(visit: Opener) -> None:
    page = visit("classes.html").page
    order = page.evaluate("Atlas.data.classes.order")
    assert len(order) == CLASSES
    canvas = page.locator("[data-confused-canvas]")
    box = canvas.bounding_box()
    canvas.click(position={"x": box["width"] - 2, "y": 2})
    names = page.evaluate("Atlas.data.site.classes")
    rows = page.locator("[data-confused-table] tbody th")
    columns = page.locator("[data-confused-table] thead span")
    expect(rows).to_have_text([names[n] for n in order[:16]])
    expect(columns).to_have_text([names[n] for n in order[-16:]])
    canvas.press("ArrowDown")
    expect(rows.first).to_have_text(names[order[8]])
    # The list says the most frequent in words.
    expect(page.locator(".confusions li")).to_have_count(100)
    page.locator(".confusions a").first.click()
    page.wait_for_url("**/images.html#label=*")


def test_a_wrong_image_is_in_the_gallery_though_no_channel_holds_it(visit: Opener) -> None:
    """It is one of the images of class 0 taken for class 1; the cell has three of these."""
    page = visit("images.html#label=0&predicted=1").page
    shown = page.locator(".gallery > li:not([hidden])")
    counts = mistakes()
    expect(page.locator("[data-count]")).to_have_text(
        f"{shown.count()} of {counts[0, 1]} images shown"
    )
    page.locator(".gallery a[href='#999']").click()
    expect(page.locator(".one-image")).to_contain_text("Held by no channel")


def test_axe_finds_nothing_wrong_with_it(chromium: Browser, site: Path, axe: str) -> None:
    with watching(chromium) as opened:
        page = opened(f"{site.as_uri()}/classes.html", bypass_csp=True).page
        page.evaluate(axe)
        assert page.evaluate("axe.run('[data-confused]').then(r => r.violations)") == []
