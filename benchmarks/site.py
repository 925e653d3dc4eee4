"""The site: how long a render takes, how big it is, how soon a page shows."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np

from atlas_site.generator import render
from atlas_site.layer_keys import layer_keys
from benchmarks.row import Row
from demo import CLASSES, draw
from pipeline.atlas import open_atlas
from pipeline.network.graph import Graph, Node
from pipeline.network.ops import Conv, Curve, Input
from pipeline.network.window import square
from tests.atlas_site.synthetic_run import Plan, write_run

PER_CLASS = 25
CONV_LAYERS = ("conv1", "conv2", "conv3", "conv4", "conv5")
WIDE = 2048
"""Channels of ResNet-50's last layer."""
STEPS = 100
"""Frames that are counted at most."""
LIMIT_S = 30
"""After which a slow page is not waited for: the frames until then count."""
REST_MS = 3000
FRAMES = """async ([step, steps, limit_ms]) => {
  const gaps = [], start = performance.now();
  let before = await new Promise(requestAnimationFrame);
  for (let n = 0; n < steps && performance.now() - start < limit_ms; n++) {
    step(n);
    const now = await new Promise(requestAnimationFrame);
    gaps.push(now - before);
    before = now;
  }
  return gaps;
}"""
"""The milliseconds between frames, in each of which the page is moved by one step."""
DRAG = """(() => {
  const canvas = document.querySelector("[data-canvas]");
  const edge = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (type, n) => canvas.dispatchEvent(new PointerEvent(type, { pointerId: 1,
    clientX: edge.left + edge.width / 2 + 6 * n, clientY: edge.top + edge.height / 2 + 4 * n }));
  send("pointerdown", 0);
  return (n) => send("pointermove", Math.min(n % 100, 100 - n % 100));
})()"""
"""There and back, as a hand that shakes the map."""
SCROLL = "() => scrollBy(0, 120)"


def rows(quick: bool) -> list[Row]:
    """Render a synthetic run (ZFNet's real sizes, drawn images), then open its largest page.

    Quick: a quarter of the channels; the numbers are then those of a quarter of the work.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = write_run(root / "run", _plan(root / "drawn", 0.25 if quick else 1.0))
        start = time.perf_counter()
        catalogue = render(open_atlas(run.artifacts), run.site)
        seconds = time.perf_counter() - start
        rendered = _render_rows(run.site, catalogue.channel_count, seconds)
        page = max(
            (run.site / f"{one}.html" for one in CONV_LAYERS), key=lambda p: p.stat().st_size
        )
        return [
            *rendered,
            *_page_rows(page, "all channels"),
            *_map_rows(run.site),
            *([] if quick else _wide_rows(root)),
        ]


def _plan(folder: Path, width: float) -> Plan:
    folder.mkdir()
    drawn = {}
    for number, label in enumerate(CLASSES):
        drawn[label] = [folder / f"{number}-{index}.jpg" for index in range(PER_CLASS)]
        for index, path in enumerate(drawn[label]):
            draw(label, np.random.default_rng([number, index])).save(path, quality=92)
    return Plan(
        classes=CLASSES,
        per_class=PER_CLASS,
        layers=CONV_LAYERS,
        width=width,
        crop=224,
        photographs=drawn,
        dead={},
        partial={},
    )


def _render_rows(site: Path, channels: int, seconds: float) -> Iterator[Row]:
    files = [path for path in site.rglob("*") if path.is_file()]
    megabytes = sum(path.stat().st_size for path in files) / 1e6
    what = f"render, {channels:,} channels"
    yield Row(what, "", seconds, "s", 150, "lower", "all cores, freshly started processes")
    yield Row(f"{what}: size", "", megabytes, "MB", 200, "lower", "pages, data and pictures")
    yield Row(f"{what}: files", "", len(files), "files", 3000, "lower", "")


def _page_rows(page: Path, what: str) -> Iterator[Row]:
    """First paint and bytes read before scrolling; nothing where Chromium is missing."""
    chromium = _chromium()
    if chromium is None:
        return
    visits = [_visit(page, chromium) for _ in range(3)]
    paint, size = (median(values) for values in zip(*visits, strict=True))
    name = f"{page.name}, {what}"
    note = "Chromium at 1600 × 1000 from disk, median of three visits"
    yield Row(f"{name}: first paint", "", paint, "ms", 500, "lower", note)
    yield Row(f"{name}: read before scrolling", "", size, "MB", 3, "lower", note)


def _map_rows(site: Path) -> Iterator[Row]:
    """How fast the map of all channels follows the pointer."""
    name = "channels.html: frames a second while dragged"
    yield from _frame_rows(site / "channels.html", name, DRAG)


def _frame_rows(page: Path, name: str, step: str) -> Iterator[Row]:
    """Frames a second while a page is moved; `step` is what moves it, a function in JavaScript."""
    chromium = _chromium()
    if chromium is None:
        return
    with _new_tab(chromium) as tab:
        tab.goto(page.as_uri(), wait_until="load")
        tab.wait_for_timeout(REST_MS)
        gaps = tab.evaluate(f"({FRAMES})([{step}, {STEPS}, {1000 * LIMIT_S}])")
    slowest = sorted(gaps)[round(0.95 * (len(gaps) - 1))]
    note = f"{len(gaps)} of them, no graphics card; 95 % in {slowest:.1f} ms"
    yield Row(name, "", 1000 * len(gaps) / sum(gaps), "", 60, "higher", note)


def _wide_rows(root: Path) -> Iterator[Row]:
    """The page of a layer as wide as ResNet-50's last."""
    name = "wide"
    conv = Conv(square(32, 32), f"{name}.weight", f"{name}.bias")
    shape = (WIDE, 7, 7)
    nodes = (
        Node(Input(), (), (3, 224, 224)),
        Node(conv, (0,), shape, name),
        Node(Curve("relu"), (1,), shape),
    )
    plan = Plan(layers=(name,), crop=224, dead={}, partial={}, graph=Graph(nodes, 2))
    run = write_run(root / name, plan)
    render(open_atlas(run.artifacts), run.site)
    page = run.site / f"{layer_keys([name])[name]}.html"
    what = f"{WIDE:,} channels"
    yield from _page_rows(page, what)
    yield from _frame_rows(page, f"{page.name}, {what}: frames a second while scrolled", SCROLL)


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def _new_tab(chromium: str) -> Iterator[Any]:
    """A tab of playwright's in a browser of its own, as large as a desktop's."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, headless=True)
        yield browser.new_page(viewport={"width": 1600, "height": 1000})
        browser.close()


def _visit(page: Path, chromium: str) -> tuple[float, float]:
    asked: set[str] = set()
    with _new_tab(chromium) as tab:
        tab.on("request", lambda request: asked.add(unquote(urlsplit(request.url).path)))
        tab.goto(page.as_uri(), wait_until="networkidle")
        paint = tab.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    return paint, sum(Path(path).stat().st_size for path in asked) / 1e6
