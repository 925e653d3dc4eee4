"""A rendered synthetic run, and a real browser that opens it from disk."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from atlas_site.catalogue import Catalogue, gather
from atlas_site.generator import render
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import Plan, write_run

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    rival = Plan(layers=("conv1", "conv2"), per_class=2, width=0.05, dead={}, partial={}, seed=1)
    plan = Plan(figures=True, rivals={"a-rival-with-a-long-name": rival})
    return write_run(tmp_path_factory.mktemp("run") / "a run", plan)


@pytest.fixture(scope="session")
def site(run: Workspace) -> Path:
    out = run.site
    render(open_atlas(run.artifacts), out, workers=1)
    return out


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """Of two layers, the second with a dead channel and one of four entries; only to be read."""
    plan = Plan(
        classes=("cow", "ant", "bee"),
        layers=("conv1", "conv2"),
        dead={"conv2": (1,)},
        partial={"conv2": {2: 4}},
    )
    folder = tmp_path_factory.mktemp("catalogue") / "run"
    return gather(open_atlas(write_run(folder, plan).artifacts))


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser, for one module: while it runs, an event loop runs in this thread."""
    if CHROMIUM is None and os.environ.get("CI") != "true":
        pytest.skip("Chromium is not installed; CI requires it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, headless=True)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of the accessibility checker."""
    if not AXE.exists() and os.environ.get("CI") != "true":
        pytest.skip("axe-core is missing; `npm ci --prefix tests/atlas_site` brings it")
    return AXE.read_text(encoding="utf-8")


def violations(page: Page) -> list[str]:
    """What the checker, which the page must hold, finds on it."""
    found = page.evaluate("axe.run().then(r => r.violations)")
    return [
        f"{v['id']}: {n['target']} {n.get('failureSummary', '')}" for v in found for n in v["nodes"]
    ]


@dataclass
class Watched:
    """A page, and what it complained about and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Opener = Callable[..., Watched]


def _note_failure(complaints: list[str], request: Request) -> None:
    """A picture still loading when a link was followed is aborted: not a fault of a page."""
    if request.failure != "net::ERR_ABORTED":
        complaints.append(f"failed: {request.url} ({request.failure})")


@contextmanager
def watching(browser: Browser) -> Iterator[Opener]:
    contexts: list[BrowserContext] = []

    def opened(address: str, width: int = 1280, height: int = 800, **options: object) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on(
            "console",
            lambda m: watched.complaints.append(m.text) if m.type in ("error", "warning") else None,
        )
        watched.page.on("pageerror", lambda error: watched.complaints.append(str(error)))
        watched.page.on("request", lambda request: watched.requests.append(request.url))
        watched.page.on("requestfailed", partial(_note_failure, watched.complaints))
        watched.page.on("dialog", lambda dialog: watched.complaints.append(dialog.message))
        watched.page.goto(address)
        return watched

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def visit(chromium: Browser, site: Path) -> Iterator[Opener]:
    """Open a page of the site by its address within it, from disk."""
    with watching(chromium) as opened:
        yield lambda place, **options: opened(f"{site.as_uri()}/{place}", **options)
