"""The files of a site, without a browser."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from PIL import Image

from atlas_site.generator import render
from pipeline.atlas import open_atlas
from pipeline.errors import AtlasError
from pipeline.storage.figures import FigureData, write_figures
from pipeline.workspace import Workspace
from tests.atlas_site.synthetic_run import Plan, write_run


class Links(HTMLParser):
    """Collects what a page refers to, and its ids."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str] = []
        self.ids: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            self.attributes.add(name)
            if name in ("href", "src") and value is not None:
                self.references.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)


def read(page: Path) -> Links:
    links = Links()
    links.feed(page.read_text(encoding="utf-8"))
    return links


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def data(site: Path, name: str) -> dict:
    text = (site / "data" / f"{name}.js").read_text(encoding="ascii")
    return json.loads(text[text.index(", ") + 2 : -3])


def channels_of(site: Path, layer: str) -> list[dict]:
    parts = range(len(list((site / "data" / "channels").glob(f"{layer}-*.js"))))
    return [one for n in parts for one in data(site, f"channels/{layer}-{n}")["channels"]]


def test_two_renders_by_any_number_of_processes_give_equal_bytes(
    run: Workspace, site: Path, tmp_path: Path
):
    render(open_atlas(run.artifacts), tmp_path / "again", workers=2)
    assert files(tmp_path / "again") == files(site)


def test_every_reference_is_relative_and_leads_to_a_file(site: Path):
    for page in site.glob("*.html"):
        links = read(page)
        for reference in links.references:
            parts = urlsplit(reference)
            assert not parts.scheme, reference
            assert not parts.netloc, reference
            target = site / unquote(parts.path) if parts.path else page
            assert target.is_file(), reference
            if parts.fragment and target.suffix == ".html" and target.name.startswith("conv"):
                assert parts.fragment in read(target).ids, reference


def test_no_page_carries_inline_style_script_or_handler(site: Path):
    for page in site.glob("*.html"):
        text = page.read_text(encoding="utf-8")
        attributes = read(page).attributes
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert re.findall(r"<script(?![^>]* src=)", text) == []
        assert "<style" not in text
        assert "default-src 'none'" in text


def test_ids_are_unique_in_every_page(site: Path):
    for page in site.glob("*.html"):
        ids = read(page).ids
        assert len(ids) == len(set(ids))


def test_every_channel_has_a_card_and_a_sprite(run: Workspace, site: Path):
    atlas = open_atlas(run.artifacts)
    for layer in atlas.layers:
        cards = {int(i) for i in read(site / f"{layer}.html").ids if i.isdigit()}
        sprites = {int(p.stem) for p in (site / "tiles" / layer).glob("[0-9]*.webp")}
        assert cards == sprites == set(range(atlas.graph.layer(layer).channels))


def test_the_pages_say_what_the_stores_say(run: Workspace, site: Path):
    atlas = open_atlas(run.artifacts)
    shown = data(site, "images")
    for layer in atlas.layers:
        record = atlas.scan(layer)
        held, channels = data(site, layer)["columns"]["image"], channels_of(site, layer)
        assert len(held) == len(channels) == len(record.fired)
        for number, channel in enumerate(channels):
            kept = record.image[number] >= 0
            rows = [shown["row"][i] for i in held[number]]
            assert rows == record.image[number][kept].tolist()
            np.testing.assert_allclose(
                channel["activation"], record.activation[number][kept], rtol=1e-3
            )
            assert channel["corner"] == record.box[number][kept][:, :2].tolist()
            assert sum(channel["histogram"]) == record.histogram[number].sum()


def test_filters_are_alike_by_the_cosine_of_what_feeds_them(run: Workspace, site: Path):
    atlas = open_atlas(run.artifacts)
    peaks = atlas.scan("conv1").mean_peak_by_class.astype(float).mean(axis=1)
    filters = {"conv1": atlas.model().tensor("conv1.weight").double().numpy()}
    filters["conv2"] = atlas.model().tensor("conv2.weight").double().numpy()
    filters["conv2"] *= peaks[:, None, None]
    for layer, weights in filters.items():
        flat = weights.reshape(len(weights), -1)
        flat /= np.linalg.norm(flat, axis=1, keepdims=True)
        cosine = flat @ flat.T - 2 * np.eye(len(flat))
        for number, channel in enumerate(channels_of(site, layer)):
            best = np.sort(cosine[number])[::-1][:6]
            found = [value for _, value in channel["alike"]]
            assert found == pytest.approx(best[best > 0], abs=1e-3)
            assert all(
                value == pytest.approx(cosine[number, other], abs=1e-3)
                for other, value in channel["alike"]
            )


def test_images_carry_class_file_and_prediction(run: Workspace, site: Path):
    atlas, shown = open_atlas(run.artifacts), data(site, "images")
    classes = data(site, "site")["classes"]
    for place, row in enumerate(shown["row"]):
        assert shown["path"][place] == atlas.images[row].path
        assert classes[shown["label"][place]] == atlas.images[row].label
        assert classes[shown["predicted"][place]] == atlas.reports.predictions()[row].label


def test_a_class_lists_the_channels_with_the_strongest_preference(run: Workspace, site: Path):
    mean = open_atlas(run.artifacts).scan("conv2").mean_peak_by_class.astype(float)
    rest = (mean.sum(1, keepdims=True) - mean) / (mean.shape[1] - 1)
    preference = (mean - rest) / (mean + rest)
    for number, best in enumerate(data(site, "classes")["best"]["conv2"]):
        assert best[0][0] == int(preference[:, number].argmax())


def test_a_run_of_scan_project_and_crop_alone_renders(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",)))
    for path in run.report("x").parent.iterdir():
        path.unlink()
    (run.artifacts / "predictions.csv").unlink()
    render(open_atlas(run.artifacts), run.site, workers=1)
    assert "Not evaluated" in (run.site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("top", [4, 5])
def test_other_numbers_of_entries_fill_other_grids(tmp_path: Path, top: int):
    run = write_run(tmp_path / "run", Plan(layers=("conv2", "conv3"), top=top))
    render(open_atlas(run.artifacts), run.site, workers=1)
    assert data(run.site, "site")["side"] == {4: 2, 5: 3}[top]
    assert not (run.site / "tiles" / "conv2" / "filters.webp").exists()
    with Image.open(run.site / "tiles" / "conv2" / "cover.webp") as cover:
        assert cover.size == (3 * 81, 3 * 81)


def test_fully_connected_layers_render_with_the_whole_image_as_field(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1", "fc8"), dead={}, partial={}))
    render(open_atlas(run.artifacts), run.site, workers=1)
    assert data(run.site, "site")["layers"][1]["field"] == 64


def test_missing_pictures_are_an_error_that_names_the_stage(tmp_path: Path):
    run = write_run(tmp_path / "run", Plan(layers=("conv1",)))
    run.crops.rename(tmp_path / "elsewhere")
    with pytest.raises(AtlasError, match="dvc repro crop"):
        render(open_atlas(run.artifacts), run.site, workers=1)


def test_a_run_without_figures_has_no_page_of_them_and_no_link(tmp_path: Path):
    out = tmp_path / "site"
    render(open_atlas(write_run(tmp_path / "run").artifacts), out, workers=1)
    assert not [path for path in out.rglob("*figure*") if "assets" not in path.parts]
    assert "figures.html" not in (out / "index.html").read_text(encoding="utf-8")


def test_a_figure_that_could_not_be_made_says_why(tmp_path: Path):
    run = write_run(tmp_path / "run")
    atlas = open_atlas(run.artifacts)
    sentence = "No <b>parts</b> are known."
    write_figures(
        run.figures, {"correspondence": FigureData(missing=sentence)}, atlas.entries_provenance
    )
    out = tmp_path / "site"
    render(open_atlas(run.artifacts), out, workers=1)
    listed = (out / "figures.html").read_text(encoding="utf-8")
    assert "Not made: No &lt;b&gt;parts&lt;/b&gt; are known." in listed
    assert not (out / "figure-correspondence.html").exists()
    assert listed.count("figure-cover") == 1  # Figure 2's
