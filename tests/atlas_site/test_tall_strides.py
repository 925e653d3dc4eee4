"""A grey network that strides along rows alone, from its code to its pages in a browser."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from pipeline.atlas import open_atlas
from tests.atlas_site.conftest import Opener, watching
from tests.foreign_networks import done_plainly, write_classes
from tests.workspaces import write_params

pytestmark = pytest.mark.slow

PX = 48
NET = """
from torch import nn


def tall():
    made = nn.Sequential()
    for number, (given, side) in enumerate(((1, 3), (8, 5), (8, 5), (8, 5)), 1):
        padding = (side // 2, 1)
        made.add_module(f"conv{number}", nn.Conv2d(given, 8, (side, 3), (2, 1), padding))
        made.add_module(f"relu{number}", nn.ReLU())
    made.mean = nn.AdaptiveAvgPool2d(1)
    made.flat = nn.Flatten()
    made.head = nn.Linear(8, 3)
    return made
"""
MAPS = {"conv1": (24, PX), "conv2": (12, PX), "conv3": (6, PX), "conv4": (3, PX)}
FIELDS = {"conv1": (3, 3), "conv2": (11, 5), "conv3": (27, 7), "conv4": (PX, 9)}
"""Along rows conv4 would see 59 pixels: more than there are."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    """A workspace in which every stage has run."""
    folder = tmp_path_factory.mktemp("tall")
    (folder / "nets").mkdir()
    (folder / "nets" / "tall.py").write_text(NET, encoding="utf-8")
    write_classes(folder / "photos", each=2)
    write_params(folder, {"scan": {"top": 3}})
    adopt = ["adopt", "nets.tall:tall", "--grey", "0.5", "0.25", "--resize", "52", "--crop", "48"]
    done_plainly(
        folder,
        [*adopt, "--layers", "conv*", "--images", str(folder / "photos")],
        *([stage] for stage in ("prepare", "train", "evaluate", "scan", "project", "crop")),
        ["verify", "--entries", "20"],
        ["render", "--workers", "1"],
    )
    return folder


def test_the_slow_reference_finds_nothing_wrong(finished):
    report = json.loads((finished / "reports" / "verify.json").read_text())
    assert (report["entries"], report["wrong"], report["faults"]) == (20, 0, 0)


def test_boxes_and_pictures_are_as_high_and_wide_as_the_fields(finished):
    run = open_atlas(finished / "artifacts")
    for layer, (height, width) in FIELDS.items():
        boxes = run.scan(layer).box[run.scan(layer).image >= 0]
        assert len(boxes)
        assert (boxes[:, 2:] - boxes[:, :2] == (height, width)).all()
        assert run.pictures.read(layer, slice(0, 1)).projection.shape[2:4] == (height, width)


def test_an_energy_box_is_around_its_unit_along_the_axis_that_it_sees_whole(finished):
    """A unit of conv4 in row r is around pixel 16 r: every convolution begins around pixel 0."""
    run = open_atlas(finished / "artifacts")
    record, energy = run.scan("conv4"), run.pictures.energy_boxes("conv4")
    blank = run.pictures.scales("conv4") == 0
    for at in np.argwhere((record.image >= 0) & ~blank).tolist():
        (row, col), (top, left, bottom, right) = record.cell[tuple(at)], energy[tuple(at)]
        assert top <= 16 * row < bottom
        assert left <= col < right
        reach = max(16 * row - top, bottom - 1 - 16 * row)
        assert {top, bottom} <= {max(0, 16 * row - reach), min(PX, 16 * row + reach + 1)}


def test_pages_give_rows_and_columns(finished):
    site = finished / "site"
    front = (site / "index.html").read_text(encoding="utf-8")
    for layer, (rows, cols) in MAPS.items():
        page = (site / f"{layer}.html").read_text(encoding="utf-8")
        assert f"map {rows} × {cols} · each unit sees {FIELDS[layer][0]} × " in page
        assert f"<span>map {rows} × {cols}</span>" in front
        assert f"<td>{PX // rows} × 1 px</td><td>{rows} × {cols}</td>" in front


@pytest.fixture
def visit(chromium: Browser, finished: Path) -> Iterator[Opener]:
    with watching(chromium) as opened:
        yield lambda place, **more: opened(f"{(finished / 'site').as_uri()}/{place}", **more)


def live(finished: Path, layer: str) -> int:
    return int(open_atlas(finished / "artifacts").scan(layer).activation[:, 0].argmax())


def hover(page: Page, row: float, col: float) -> None:
    """Point at a pixel of the input."""
    page.locator("[data-stage]").scroll_into_view_if_needed()
    box = page.locator("[data-stage]").bounding_box()
    page.mouse.move(box["x"] + col / PX * box["width"], box["y"] + row / PX * box["height"])


@pytest.mark.browser
@pytest.mark.parametrize("layer", ["conv1", "conv4"])
def test_the_pointer_is_over_the_cell_around_whose_unit_it_is(visit, finished, layer):
    watched = visit(f"{layer}.html#{live(finished, layer)}", width=1280, height=900)
    page, step = watched.page, PX // MAPS[layer][0]
    page.locator("[data-where] [value=cells]").check(force=True)
    told = page.locator("[data-value]")
    expect(told).to_contain_text("cell")
    for row, col in ((0, 0), (2, 5), (1, 47)):
        hover(page, step * row + 0.5, col + 0.5)
        expect(told).to_contain_text(f"cell {row}, {col}: ")
    assert watched.complaints == []


@pytest.mark.browser
def test_the_pages_work_in_a_browser(visit, finished):
    for place in ("index.html", "conv1.html", f"conv4.html#{live(finished, 'conv4')}"):
        watched = visit(place, width=390)
        page = watched.page
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, place
        assert watched.complaints == [], place
    box = page.locator("[data-stage] rect.box")
    expect(box).to_have_attribute("height", "48")
    expect(box).to_have_attribute("width", "9")
