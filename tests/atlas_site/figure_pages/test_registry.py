from pathlib import Path

from PIL import Image

from atlas_site.figure_pages.registry import FigureJob, index_cards, made_pages
from pipeline.atlas import open_atlas
from pipeline.workspace import Workspace

PAPERS = ["evolution", "invariance", "architecture", "occlusion", "correspondence"]


def test_the_pages_come_in_the_papers_order(run: Workspace):
    atlas = open_atlas(run.artifacts)
    assert [page.name for page in made_pages(atlas)] == PAPERS
    assert [card.href for card in index_cards(atlas)] == [f"figure-{name}.html" for name in PAPERS]


def test_the_pictures_of_a_page_are_in_the_figures_folder_its_cover_among_them(
    run: Workspace, tmp_path: Path
):
    atlas = open_atlas(run.artifacts)
    for card, name in zip(index_cards(atlas), PAPERS, strict=True):
        assert FigureJob(name).paint(atlas, tmp_path) == 0
        with Image.open(tmp_path / card.cover) as picture:
            assert picture.format == "WEBP"
