"""A site of a network of 38 layers in blocks: groups, the filter, narrow screens."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from atlas_site.generator import render
from pipeline.atlas import open_atlas
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Conv, Curve, Input, MaxPool
from pipeline.network.window import square
from pipeline.storage.reports import write_report
from tests.atlas_site.conftest import Opener, violations, watching
from tests.atlas_site.synthetic_run import Plan, write_run
from tests.atlas_site.verification_reports import layer_report, report_of

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PX, CHANNELS = 32, 2
BLOCKS = {f"encoder.stage{n}": 9 for n in (1, 2, 3, 4)}


def deep() -> Graph:
    """A stem, four stages of 9 convolutions, the last two with half the map, and a last one."""
    names = ["stem", *(f"{block}.conv{n}" for block, many in BLOCKS.items() for n in range(many))]
    nodes, side = [Node(Input(), (), (3, PX, PX))], PX
    for name in [*names, "last"]:
        if name in ("encoder.stage3.conv0", "encoder.stage4.conv0"):
            side //= 2
            pool = MaxPool(square(2, 2))
            nodes.append(Node(pool, (len(nodes) - 1,), (CHANNELS, side, side)))
        shape = (CHANNELS, side, side)
        conv = Conv(square(3, 1, 1), f"{name}.weight", f"{name}.bias")
        nodes.append(Node(conv, (len(nodes) - 1,), shape, name))
        nodes.append(Node(Curve("relu"), (len(nodes) - 1,), shape))
    return Graph(tuple(nodes), len(nodes) - 1)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    graph = deep()
    layers = list(graph.layers)
    plan = Plan(
        classes=("ant", "bee"), layers=layers, crop=PX, top=4, dead={}, partial={},
        graph=graph,
    )  # fmt: skip
    run = write_run(tmp_path_factory.mktemp("deep") / "run", plan)
    atlas = open_atlas(run.artifacts)
    report = report_of(dict.fromkeys(layers, layer_report(3, 2e-4)))
    write_report(run.report("verify.json"), report, atlas.entries_provenance)
    render(open_atlas(run.artifacts), run.site, workers=1)
    return run.site


@pytest.fixture
def visit(chromium: Browser, site: Path) -> Iterator[Opener]:
    with watching(chromium) as opened:
        yield lambda place, **more: opened(f"{site.as_uri()}/{place}", **more)


def test_layers_are_grouped_by_their_blocks(visit):
    page = visit("index.html").page
    assert page.locator("#map ~ * .block-name, .block-name").all_inner_texts() == [
        "stem", *BLOCKS, "last"
    ]  # fmt: skip
    expect(page.locator("[data-layer]:visible")).to_have_count(38)


def test_the_filter_leaves_the_layers_with_a_part_of_a_name_and_their_groups(visit):
    watched = visit("index.html")
    page, filter_ = watched.page, watched.page.get_by_label("Layers", exact=True)
    filter_.fill("STAGE2.conv")
    expect(page.locator("[data-layer]:visible")).to_have_count(9)
    assert page.locator(".block-name:visible").all_inner_texts() == ["encoder.stage2"]
    expect(page.locator("[data-layer-count]")).to_have_text("9 layers")
    filter_.fill("last")
    expect(page.locator("[data-layer-count]")).to_have_text("1 layer")
    filter_.fill("nothing of that name")
    expect(page.locator("[data-layer]:visible")).to_have_count(0)
    filter_.fill("")
    expect(page.locator("[data-layer]:visible")).to_have_count(38)
    assert watched.complaints == []


def test_tables_of_all_layers_are_folded_and_open_in_the_groups(visit):
    page = visit("index.html").page
    tables = page.locator("table:has(a[href='layer-last.html'])")
    expect(tables).to_have_count(5)  # fields, methods, start, dead channels, worst errors
    expect(tables.locator("visible=true")).to_have_count(0)
    folds = page.locator("details.many")
    expect(folds).to_have_count(5)
    for fold in folds.all():
        fold.locator("summary").click()
        heads = fold.locator("th[scope=rowgroup]")
        assert heads.all_inner_texts() == ["stem", *BLOCKS, "last"]
    expect(tables.locator("visible=true")).to_have_count(5)


def test_a_sentence_names_few_layers_and_counts_many(visit):
    text = visit("index.html").page.locator("main").inner_text()
    assert "encoder.stage1.conv3, encoder.stage1.conv4" not in text


@pytest.mark.parametrize("place", ["index.html", "encoder.stage2.conv3.html#0", "channels.html"])
def test_nothing_is_wider_than_a_narrow_screen(visit, place):
    watched = visit(place, width=390)
    watched.page.wait_for_load_state("networkidle")
    for summary in watched.page.locator("details.many > summary").all():
        summary.click()
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert watched.complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation(visit, axe, scheme):
    page = visit("index.html", bypass_csp=True, color_scheme=scheme).page
    for summary in page.locator("details.many > summary").all():
        summary.click()
    page.evaluate(axe)
    assert violations(page) == []
