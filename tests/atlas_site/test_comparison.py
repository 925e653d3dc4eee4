from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from atlas_site.comparison import compare
from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.workspace import Workspace
from tests.atlas_site.conftest import Opener, watching
from tests.atlas_site.synthetic_run import Plan, write_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[Workspace]:
    root = tmp_path_factory.mktemp("runs")
    return [
        write_run(root / "early", Plan(layers=("conv1", "conv2"), dead={"conv2": (1,)})),
        write_run(root / "late", Plan(layers=("conv2", "conv3"), seed=1, width=0.12)),
    ]


@pytest.fixture(scope="module")
def compared(runs: list[Workspace]) -> Path:
    out = runs[0].root.parent / "comparison"
    a, b = (open_atlas(run.artifacts) for run in runs)
    compare((a, b), ("early", "late"), out, workers=1)
    return out


@pytest.fixture
def visit(chromium: Browser, compared: Path) -> Iterator[Opener]:
    with watching(chromium) as opened:
        yield lambda place, **options: opened(f"{compared.as_uri()}/{place}", **options)


def test_only_layers_of_both_runs_have_a_page(compared: Path):
    assert {page.name for page in compared.glob("*.html")} == {"index.html", "conv2.html"}


@pytest.mark.browser
def test_each_channel_shows_both_runs(visit: Opener):
    watched = visit("conv2.html#2")
    cards = watched.page.locator("[data-versus] > li")
    assert cards.count() == 31
    both = cards.nth(2).locator("img").evaluate_all("all => all.map(i => i.src.split('/').at(-4))")
    assert both == ["a", "a", "b", "b"]
    assert "dead" in (cards.nth(1).text_content() or "")
    assert "no such channel" in (cards.nth(30).text_content() or "")
    assert watched.complaints == []


@pytest.mark.browser
def test_channels_sort_by_the_images_they_share(visit: Opener, runs: list[Workspace]):
    page = visit("conv2.html").page
    page.select_option("[name=sort]", "shared")
    a, b = (open_atlas(run.artifacts) for run in runs)

    def held(atlas, number):
        rows = atlas.scan("conv2").image
        return (
            {atlas.images[r].sha256 for r in rows[number] if r >= 0}
            if number < len(rows)
            else set()
        )

    shared = [len(held(a, n) & held(b, n)) for n in range(31)]
    expected = sorted(range(31), key=lambda n: (-shared[n], n))
    expect(page.locator("[data-versus] > li").first).to_have_attribute("id", str(expected[0]))
    assert page.eval_on_selector_all("[data-versus] > li", "all => all.map(l => +l.id)") == expected


def test_runs_without_a_common_layer_are_refused(runs: list[Workspace], tmp_path: Path):
    other = write_run(tmp_path / "other", Plan(layers=("conv4",)))
    pair = open_atlas(runs[0].artifacts), open_atlas(other.artifacts)
    with pytest.raises(AtlasError, match="no layer in common"):
        compare(pair, ("early", "other"), tmp_path / "out")


def test_runs_with_other_numbers_of_entries_are_refused(runs: list[Workspace], tmp_path: Path):
    other = write_run(tmp_path / "other", Plan(layers=("conv1",), top=4))
    pair = open_atlas(runs[0].artifacts), open_atlas(other.artifacts)
    with pytest.raises(AtlasError, match="9 images per channel, other 4"):
        compare(pair, ("early", "other"), tmp_path / "out")
