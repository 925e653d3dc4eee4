from pathlib import Path
from zipfile import ZipFile

import pytest

from atlas_site.packing import checked_url, pack
from pipeline.errors import AtlasError


def test_a_zip_holds_every_file_below_one_folder_and_equal_sites_give_equal_bytes(
    site: Path, tmp_path: Path
):
    count = pack(site, tmp_path / "a.zip", "atlas", None)
    pack(site, tmp_path / "b.zip", "atlas", None)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        assert len(names) == count
        assert all(name.startswith("atlas/") for name in names)
        for name in names:
            assert archive.read(name) == (site / name.removeprefix("atlas/")).read_bytes()


def test_the_address_of_the_host_is_put_before_the_card_alone(site: Path, tmp_path: Path):
    pack(site, tmp_path / "a.zip", "atlas", "https://example.org/a/")
    with ZipFile(tmp_path / "a.zip") as archive:
        page = archive.read("atlas/index.html").decode("utf-8")
    assert 'property="og:image" content="https://example.org/a/card.jpg"' in page
    assert page.replace("https://example.org/a/", "") == (site / "index.html").read_text("utf-8")


def test_a_folder_without_an_atlas_is_refused(tmp_path: Path):
    with pytest.raises(AtlasError, match="atlas render"):
        pack(tmp_path, tmp_path / "a.zip", "atlas", None)


@pytest.mark.parametrize(
    "url", ["example.org", "javascript:alert(1)", 'https://x"><script>', "//x"]
)
def test_what_is_not_an_address_is_refused(url: str):
    with pytest.raises(AtlasError, match="not the address"):
        checked_url(url)


def test_an_address_ends_in_a_slash():
    assert checked_url("https://a.github.io/b") == "https://a.github.io/b/"
