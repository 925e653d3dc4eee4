"""Five networks from elsewhere, from their code to pages in a browser."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from playwright.sync_api import Browser, expect

from pipeline.atlas import open_atlas
from pipeline.storage.stores import open_layer
from tests.atlas_site.conftest import violations, watching
from tests.foreign_networks import FOREIGN, NETS, Foreign, adoption, done_plainly
from tests.pipeline.project.module_oracle import module_projection
from tests.pipeline.project.oracle import under_box

pytestmark = pytest.mark.slow

ENTRIES = 40
STAGES = ("prepare", "train", "evaluate", "scan", "project", "crop", "figures")


@pytest.fixture(scope="module", params=FOREIGN)
def network(request) -> Foreign:
    return FOREIGN[request.param]


@pytest.fixture(scope="module")
def finished(network: Foreign, tmp_path_factory) -> Path:
    """A workspace in which every stage has run."""
    folder = tmp_path_factory.mktemp(network.function)
    done_plainly(
        folder,
        adoption(folder, network.function, list(network.layers)),
        *([stage] for stage in STAGES),
        ["verify", "--entries", str(ENTRIES)],
        ["render", "--workers", "1"],
    )
    return folder


def test_the_slow_reference_finds_nothing_wrong(finished, network):
    report = json.loads((finished / "reports" / "verify.json").read_text())
    assert report["entries"] == ENTRIES
    assert report["wrong"] == report["faults"] == 0
    assert set(report["layers"]) == set(network.layers)


def test_each_layer_is_projected_by_the_method_that_fits_it(finished, network):
    run = open_atlas(finished / "artifacts")
    facts = {layer: run.pictures.facts(layer) for layer in run.layers}
    assert {layer: found["method"] for layer, found in facts.items()} == network.layers
    for layer, found in facts.items():
        page = (finished / "site" / f"{layer}.html").read_text(encoding="utf-8")
        assert found["method_why"] in page


def test_the_control_of_a_network_with_norms_is_not_blank(finished, network):
    run = open_atlas(finished / "artifacts")
    for layer in network.layers:
        arrays = dict(open_layer(run.store("projections"), layer).arrays())
        scale = arrays["control_scale"][...]
        there = run.scan(layer).image[:, : scale.shape[1]] >= 0
        assert (scale[there] > 0).mean() > 0.9
        agrees = run.pictures.facts(layer)["control_correlation"]
        assert 0 < agrees < 0.9
        page = (finished / "site" / f"{layer}.html").read_text(encoding="utf-8")
        assert f"correlation with random weights {agrees:.2f}" in page


def test_projections_are_those_of_autograd_through_the_module_itself(finished, network):
    """The strongest live channel's, as it is stored, with its box and crop."""
    run, names = open_atlas(finished / "artifacts"), {}
    exec(NETS, names)
    torch.manual_seed(run.params.seed)
    module = names[network.function]().double()
    layer, method = network.of, network.layers[network.of]
    record, field = run.scan(layer), run.field(layer)
    target = module.get_submodule(network.module)
    for channel in {0, len(record.image) - 1, int(record.activation[:, 0].argmax())}:
        if record.image[channel, 0] < 0:
            continue
        entry = run.entry(layer, channel, 0)
        image, unit = run.input(entry.image).double(), (channel, *entry.cell)
        whole = module_projection(module, image, target, unit, entry.activation, method)
        frame = field.boxes(np.array(entry.cell, np.int32)).tolist()
        expected = under_box(whole, frame)
        own = under_box(whole, list(entry.box))
        torch.testing.assert_close(own.norm(), whole.norm(), rtol=1e-9, atol=0)
        error = float((torch.from_numpy(entry.projection).double() - expected).norm())
        assert error <= 2e-3 * float(expected.norm())


def test_a_sum_is_fed_along_the_identity_with_norms_folded_in(finished, network):
    """Ways to the last sum of a stage pass the identity of its last block and the downsampling of
    its first, whose sum was not scanned; the other branches have two layers of filters."""
    if network.function != "resnet18":
        pytest.skip("the network of sums")
    run, names = open_atlas(finished / "artifacts"), {}
    exec(NETS, names)
    torch.manual_seed(run.params.seed)
    module = names[network.function]()
    ways = {"layer1": "conv1", "layer3": "layer2.0.downsample.0"}
    for stage, below in ways.items():
        conv, norm = module.get_submodule(stage)[0].downsample
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        expected = (conv.weight * factor[:, None, None, None]).detach().numpy()
        found = run.weights.kernels_from_below(f"{stage}.1", run.layers)
        assert list(found) == [below]
        np.testing.assert_allclose(found[below], expected, rtol=1e-5)


@pytest.fixture
def visit(chromium: Browser, finished: Path) -> Iterator:
    with watching(chromium) as opened:
        site = finished / "site"
        yield lambda place, **options: opened(f"{site.as_uri()}/{place}", **options)


@pytest.mark.browser
def test_the_pages_work_in_a_browser(visit, network):
    first, *_, last = network.layers
    places = [
        "index.html",
        f"{first}.html",
        f"{last}.html#0",
        "images.html#0",
        "classes.html#0",
        "channels.html",
    ]
    for place in places:
        watched = visit(place, width=390)
        page = watched.page
        page.wait_for_load_state("networkidle")
        broken = "all => all.filter(i => i.complete && i.naturalWidth === 0).length"
        assert page.eval_on_selector_all("img", broken) == 0
        wide = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
        assert page.evaluate(wide) <= 390, place
        assert watched.complaints == [], place
        assert [url for url in watched.requests if not url.startswith("file:")] == []


@pytest.mark.browser
def test_the_first_page_draws_the_graph(visit, network, finished):
    page, run = visit("index.html").page, open_atlas(finished / "artifacts")
    boxes = page.locator(".graph .box")
    expect(boxes).to_have_count(len(run.graph.layers) if network.branched else 0)
    if network.branched:
        expect(page.locator(".graph a")).to_have_count(len(network.layers))
        last = list(network.layers)[-1]
        page.locator(f".graph a[href='{last}.html']").first.dispatch_event("click")
        page.wait_for_url(f"**/{last}.html")


@pytest.mark.browser
def test_a_sum_says_what_feeds_it_and_what_of_that_was_not_scanned(visit, network):
    if network.function != "resnet18":
        pytest.skip("the network of sums")
    page = visit("layer1.1.html#0").page
    page.locator("[data-panel=weights] > summary").click()
    panel = page.locator("[data-weights]")
    links = panel.locator(".related").first.locator("a")
    expect(links).to_have_text([re.compile(r"conv1 \d+ ?(excites|inhibits)")] * 6)
    expect(panel).to_contain_text("layer1.1.conv2, layer1.0 feed it, but were not scanned.")


@pytest.mark.browser
def test_axe_finds_no_violation(chromium, finished, network, axe):
    if network.function != "googlenet":
        pytest.skip("one network with a graph stands for all")
    with watching(chromium) as opened:
        for place in ("index.html", "inception3a.html#0"):
            page = opened(f"{(finished / 'site').as_uri()}/{place}", bypass_csp=True).page
            page.evaluate(axe)
            assert violations(page) == []


@pytest.fixture
def without_dense_layers(network: Foreign) -> Foreign:
    """Networks of which no hidden layer is fully connected; the second has no max pool either."""
    if network.function not in ("googlenet", "mobilenet_v2"):
        pytest.skip("two networks stand for all")
    return network


@pytest.mark.browser
def test_the_paper_s_figures_are_made_or_a_sentence_says_why_not(visit, without_dense_layers):
    page = visit("figures.html", java_script_enabled=False).page
    cards = dict(
        zip(
            page.locator(".figure-cards small").all_inner_texts(),
            page.locator(".figure-cards > li").all(),
            strict=True,
        )
    )
    missing = {number: card.locator(".missing") for number, card in cards.items()}
    assert {number for number, found in missing.items() if found.count()} == {"Figure 4", "Table 1"}
    expect(missing["Figure 4"]).to_contain_text("trained elsewhere")
    expect(missing["Table 1"]).to_contain_text("There is no parts.csv")
    for number in ("Figure 5", "Figure 6", "Figure 7"):
        cards[number].locator("h2 a").click()
        assert page.locator("main img").count() >= 1
        assert page.locator("main table").count() >= 1
        page.go_back()
    cards["Figure 6"].locator("h2 a").click()
    expect(page.locator(".missing")).to_contain_text("was not scanned")


@pytest.mark.browser
def test_the_figure_pages_fit_a_phone_and_axe_finds_no_violation(
    chromium, finished, axe, without_dense_layers
):
    wide = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    with watching(chromium) as opened:
        for place in ("figures", "figure-invariance", "figure-architecture", "figure-occlusion"):
            address = f"{(finished / 'site').as_uri()}/{place}.html"
            watched = opened(address, bypass_csp=True, width=390)
            watched.page.wait_for_load_state("networkidle")
            assert watched.page.evaluate(wide) <= 390, place
            assert watched.complaints == [], place  # axe asks for the style sheets once more
            watched.page.evaluate(axe)
            assert violations(watched.page) == [], place


@pytest.mark.browser
def test_a_channel_of_a_concatenation_has_its_branchs_box(visit, network, finished):
    if network.function != "googlenet":
        pytest.skip("the network with concatenations of branches")
    run = open_atlas(finished / "artifacts")
    sizes = run.field("inception3a").channel_sizes()
    assert sizes[0] == (27, 27)  # its 1 × 1 branch: the field of the pool below
    assert sizes[16] == (43, 43)  # its 3 × 3 branch: 27 + 2 · 8
    page = visit("inception3a.html#0").page
    box = page.locator("[data-stage] rect.box")
    expect(box).to_have_attribute("width", "27")
