"""The view of a channel in a real browser: what it shows, and what can be taken along."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.atlas_site.browsing import channel_of
from tests.atlas_site.conftest import Opener

pytestmark = pytest.mark.browser


def test_the_box_is_drawn_where_the_scan_says(visit: Opener) -> None:
    page = visit("conv2.html#0").page
    corner = channel_of(page, "conv2", 0)["corner"][0]
    box = page.locator("[data-stage] rect.box")
    expect(box).to_have_attribute("y", str(corner[0]))
    expect(box).to_have_attribute("x", str(corner[1]))
    expect(box).to_have_attribute("width", "27")


def test_the_energy_box_is_a_second_dashed_frame(visit: Opener) -> None:
    page = visit("conv2.html#0").page
    box = channel_of(page, "conv2", 0)["energy"][0]
    frame = page.locator("[data-stage] rect.energy")
    expect(frame).to_have_attribute("y", str(box[0]))
    expect(frame).to_have_attribute("width", str(box[3] - box[1]))


def test_contrast_changes_projections_and_leaves_mid_grey(visit: Opener) -> None:
    page = visit("conv3.html#0").page
    page.locator("[data-contrast]").fill("2")
    table = page.locator("#tone feFuncR").get_attribute("tableValues")
    assert table is not None
    values = [float(v) for v in table.split()]
    assert values[len(values) // 2] == 0.5
    assert values[0] == 0
    assert values[-1] == 1
    assert [round(1 - v, 4) for v in values] == values[::-1]
    tile = page.locator("[data-entries] .projections").first
    expect(tile).to_have_css("filter", 'url("#tone")')
    page.locator("[data-contrast]").fill("0")
    expect(tile).to_have_css("filter", "none")
    expect(page.locator("[data-entries] .crops").first).to_have_css("filter", "none")


def test_connections_are_the_strongest_by_weight(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    page.locator("[data-panel=weights] > summary").first.click()
    links = page.locator("[data-panel=weights] .related").first.locator("a")
    expect(links).to_have_count(6)
    found = page.evaluate(
        "Atlas.data['weights/conv2'].incoming[4].map(([l, n]) => `conv${l + 1} ${n}`)"
    )
    assert links.locator("b").all_inner_texts() == found
    strengths = page.evaluate("Atlas.data['weights/conv2'].incoming[4].map(c => Math.abs(c[2]))")
    assert strengths == sorted(strengths, reverse=True)
    assert page.locator("[data-panel=weights] .kernel rect").count() > 0
    links.first.click()
    expect(page.locator("#channel-title")).to_have_text(found[0])


def test_paths_through_one_layer_between_are_shown_on_demand(visit: Opener) -> None:
    """conv1 feeds conv3 through conv2; of three layers the middle one has no path."""
    for place, title, far in (("conv3", "Two layers below", 0), ("conv1", "Two layers above", 2)):
        page = visit(f"{place}.html#0").page
        page.locator("[data-panel=weights] > summary").first.click()
        page.get_by_text("Through one layer between").click()
        side = "twoBelow" if far == 0 else "twoAbove"
        rows = page.evaluate(f"Atlas.data['weights/{place}'].{side}[0]")
        assert [(row[0], row[5]) for row in rows] == [(far, 1)] * 6
        links = page.locator("[data-panel=weights] details .related a")
        expect(links).to_have_count(6)
        expect(links.first).to_be_visible()
        expect(links.first).to_contain_text("through conv2")
        expect(page.locator("[data-panel=weights] details h4")).to_have_text(title)


def test_the_control_is_shown_beside_the_trained_projection_on_demand(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    assert page.locator(".control-pair").count() == 0
    page.locator("[data-panel=control] > summary").click()
    expect(page.locator(".control-pair")).to_have_count(2)
    expect(page.locator("[data-panel=control]")).to_contain_text("0.25")
    expect(page.locator(".control-pair img").last).to_have_attribute(
        "src", "tiles/conv2/control-0.webp"
    )


def test_channels_of_like_filters_are_shown_beside_those_of_like_responses(visit: Opener) -> None:
    page = visit("conv2.html#4").page
    rows = channel_of(page, "conv2", 4)["alike"]
    links = page.locator("[data-alike] a")
    expect(links).to_have_count(len(rows))
    hrefs = links.evaluate_all("all => all.map(a => a.getAttribute('href'))")
    assert hrefs == [f"#{number}" for number, _ in rows]
    expect(links.first).to_contain_text(f"cosine {rows[0][1]:.2f}")


def test_patch_similarity_is_said_with_what_it_is(visit: Opener) -> None:
    """In the synthetic run it is 0.5 + 0.4 sin(channel)."""
    page = visit("conv3.html#7").page
    line = page.locator("[data-patches]")
    expect(line).to_have_text(
        "Patch similarity 0.76: the mean cosine of conv2 under each pair of these patches, "
        "place by place; 1 is equal."
    )
    page.goto(page.url.replace("conv3.html#7", "conv1.html#7"))
    expect(line).to_contain_text("the mean cosine of the pixels")
    page.goto(page.url.replace("conv1.html#7", "conv3.html#1"))
    expect(page.locator("[data-dead]")).to_be_visible()
    expect(line).to_be_hidden()


def test_copy_link_copies_the_deep_link(visit: Opener) -> None:
    page = visit("conv2.html#5", permissions=["clipboard-read", "clipboard-write"]).page
    page.locator("[data-copy]").click()
    expect(page.locator("[data-toast]")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()").endswith("conv2.html#5")


def test_a_picture_of_a_channel_is_saved_offline(visit: Opener) -> None:
    import io

    from PIL import Image

    watched = visit("conv3.html#0")
    page = watched.page
    with page.expect_download() as waiting:
        page.locator("[data-save]").click()
    assert waiting.value.suggested_filename == "conv3-0.png"
    with Image.open(io.BytesIO(Path(waiting.value.path()).read_bytes())) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(1 << 24) or []) > 500
    assert watched.complaints == []


def test_a_channel_is_copied_as_markdown_without_markup_of_its_names(visit: Opener) -> None:
    """Of a channel that a class of such a name excites; only the link's target is in brackets."""
    page = visit("conv2.html", permissions=["clipboard-read", "clipboard-write"]).page
    number = page.evaluate(
        """Atlas.load("channels/conv2-0").then(({ channels }) => channels.findIndex(
            ({ classes }) => classes.slice(0, 3)
                .some(([n]) => Atlas.data.site.classes[n].startsWith("</script>"))))"""
    )
    page.goto(f"{page.url}#{number}")
    page.locator("[data-markdown]").click()
    expect(page.locator("[data-toast]")).to_have_text("Markdown copied")
    text = page.evaluate("navigator.clipboard.readText()")
    assert text.startswith(f"[conv2 {number}](<file://")
    assert text.count("\n") >= 9
    head, _, rest = text.partition(">)")
    assert head.count("<") == 1
    assert "img src=x onerror=alert" in rest
    assert "<" not in rest.replace("\\<", "")


def test_a_name_is_kept_found_and_saved_as_the_workspace_takes_it(visit: Opener) -> None:
    page = visit("conv2.html#3").page
    page.locator("[data-panel=name] > summary").click()
    page.locator("[data-naming] [name=name]").fill('a "curve", <b>')
    with page.expect_download() as waiting:
        page.locator("[data-export]").click()
    lines = Path(waiting.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0] == "layer,channel,name,note,family"
    assert 'conv2,3,"a ""curve"", <b>",,' in lines
    page.reload()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.locator("[data-query]").fill('"curve"')
    expect(page.locator("[data-found] .small-grid a")).to_contain_text("conv2 3")


def test_an_embedded_channel_stands_alone(visit: Opener) -> None:
    watched = visit("conv2.html?embed#3", width=900, height=520)
    page = watched.page
    expect(page.locator("#channel-title")).to_have_text("conv2 3")
    expect(page.locator("[data-entries] > li")).to_have_count(9)
    for hidden in (".top", "footer", "[data-close]", "[data-side]"):
        expect(page.locator(hidden).first).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.locator("#channel-title")).to_be_visible()
    assert watched.complaints == []
