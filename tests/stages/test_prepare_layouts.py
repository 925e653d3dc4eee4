"""Every layout of the same photographs gives the same images, and its faults end in one line."""

import csv
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.dataset.manifest import Manifest
from pipeline.dataset.store import open_images
from pipeline.dataset.verified import read_verified
from pipeline.errors import AtlasError
from stages.cli import main
from tests import layouts
from tests.stages.preparing import (
    CLASSES,
    LAYOUTS,
    as_parquet,
    as_tar,
    as_webdataset,
    as_zip,
    fault,
    prepared,
)
from tests.workspaces import write_params, write_photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("photographs") / "photos"
    write_photos(folder, CLASSES)
    return folder


@pytest.fixture(scope="module")
def plain(photos, tmp_path_factory) -> Manifest:
    """The manifest of the photographs in their folder."""
    return prepared(tmp_path_factory.mktemp("plain"), str(photos))


def identities(manifest) -> set[tuple[str, str, str, int, int]]:
    return {(r.split, r.label, r.sha256, r.width, r.height) for r in manifest.rows}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_gives_the_images_of_the_folder(photos, plain, tmp_path, layout):
    root = layout(photos, tmp_path)
    manifest = prepared(tmp_path, root)
    assert identities(manifest) == identities(plain)
    assert manifest.classes == plain.classes
    store = open_images(tmp_path / root)
    for row in manifest.rows:
        read_verified(store, row)


@pytest.mark.parametrize("layout", [as_tar, as_zip])
def test_an_archive_of_a_tree_has_the_paths_of_the_tree(photos, tmp_path, layout):
    manifest = prepared(tmp_path, layout(photos, tmp_path))
    assert {row.path for row in manifest.rows} == set(layouts.files_of(photos))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_at_a_url_gives_the_images_of_the_folder(photos, plain, tmp_path, layout):
    (tmp_path / "served").mkdir()
    root = layout(photos, tmp_path / "served")
    with layouts.served(tmp_path / "served") as server:
        manifest = prepared(tmp_path, f"{server.url}/{root}")
    assert {row.sha256 for row in manifest.rows} == {row.sha256 for row in plain.rows}


def test_a_folder_at_a_url_is_read_in_spite_of_a_busy_server(photos, plain, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.dataset.attempts.WAITS_S", (0.01, 0.01, 0.01))
    with layouts.served(photos) as server:
        manifest = prepared(tmp_path, server.url)
        store = open_images(server.url)
        server.failures[:] = ["503", "half", "503"]
        for row in manifest.rows[:3]:
            read_verified(store, row)
        server.failures[:] = ["503"] * 4
        with pytest.raises(AtlasError, match="cannot be read"):
            read_verified(store, manifest.rows[0])
        (photos / manifest.rows[0].path).rename(tmp_path / "away")
        try:
            with pytest.raises(AtlasError, match=r"photo 0\.jpg.*cannot be read"):
                read_verified(store, manifest.rows[0])
        finally:
            (tmp_path / "away").rename(photos / manifest.rows[0].path)
    assert {(r.path, r.sha256) for r in manifest.rows} == {(r.path, r.sha256) for r in plain.rows}


def test_a_cached_image_is_asked_for_once_and_a_damaged_copy_again(photos, tmp_path, monkeypatch):
    monkeypatch.setenv("ATLAS_IMAGE_CACHE", str(tmp_path / "cache"))
    with layouts.served(photos) as server:
        manifest = prepared(tmp_path, server.url)
        store, row = open_images(server.url), manifest.rows[0]
        server.asked.clear()
        read_verified(store, row)
        assert server.asked == []
        for copy in (tmp_path / "cache").iterdir():
            copy.write_bytes(copy.read_bytes()[:-1])
        read_verified(store, row)
        assert len(server.asked) == 1


def test_credentials_in_a_url_are_refused_and_not_repeated(tmp_path):
    line = fault(tmp_path, "http://user:secret@127.0.0.1:9/photos")
    assert "holds credentials for http://127.0.0.1:9/photos" in line
    assert "secret" not in line
    line = fault(tmp_path, "https://127.0.0.1:9/photos?X-Amz-Signature=secret")
    assert "secret" not in line


def test_a_server_that_does_not_answer_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.dataset.attempts.WAITS_S", (0.01,))
    assert "http://127.0.0.1:9/photos cannot be listed" in fault(
        tmp_path, "http://127.0.0.1:9/photos"
    )


def test_a_missing_shard_is_named(photos, tmp_path):
    as_parquet(photos, tmp_path)
    (tmp_path / "hub/data/train-00001-of-00002.parquet").unlink()
    assert "Shard 1 of " in fault(tmp_path, "hub")
    as_webdataset(photos, tmp_path)
    (tmp_path / "shards/val-000001.tar").unlink()
    assert "shards/val-… is missing (1 of 3 are)" in fault(tmp_path, "shards")


@pytest.mark.parametrize("keep", [0.5, 0.97])
def test_a_truncated_tar_is_named(photos, tmp_path, keep):
    as_tar(photos, tmp_path)
    path = tmp_path / "photos.tar"
    os.truncate(path, int(path.stat().st_size * keep) if keep < 0.9 else last_member_end(path))
    assert "photos.tar is truncated or damaged" in fault(tmp_path, "photos.tar")


def last_member_end(path: Path) -> int:
    import tarfile

    with tarfile.open(path) as tar:
        last = tar.getmembers()[-1]
    return last.offset_data + -(-last.size // 512) * 512


def test_a_header_damaged_in_the_middle_of_a_tar_is_not_an_end(photos, tmp_path):
    import tarfile

    as_tar(photos, tmp_path)
    path = tmp_path / "photos.tar"
    with tarfile.open(path) as tar:
        place = tar.getmembers()[5].offset
    data = bytearray(path.read_bytes())
    data[place : place + 8] = b"damaged!"
    path.write_bytes(data)
    assert "photos.tar is truncated or damaged" in fault(tmp_path, "photos.tar")


def test_a_compressed_tar_and_a_damaged_zip_are_named(photos, tmp_path):
    as_tar(photos, tmp_path)
    import gzip

    path = tmp_path / "photos.tar"
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert "or no uncompressed tar file" in fault(tmp_path, "photos.tar")
    as_zip(photos, tmp_path)
    os.truncate(tmp_path / "photos.zip", 3000)
    assert "not a zip file, or is damaged" in fault(tmp_path, "photos.zip")


def test_parquet_of_another_schema_is_named(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "hub").mkdir()
    pq.write_table(pa.table({"text": ["a"], "label": [0]}), tmp_path / "hub/train.parquet")
    assert "has the columns text, label, none of which holds images" in fault(tmp_path, "hub")
    (tmp_path / "hub/train.parquet").write_bytes(b"PAR1 not at all PAR1")
    assert "train.parquet cannot be read as parquet" in fault(tmp_path, "hub")


def test_a_label_out_of_range_is_listed(photos, tmp_path):
    as_webdataset(photos, tmp_path)
    image = layouts.files_of(photos)["val/cat/photo 0.jpg"]
    layouts.write_tar(tmp_path / "shards/val-000003.tar", {"more.jpg": image, "more.cls": b"2"})
    write_params(tmp_path, {"data": {"root": "shards", "max_rejected_fraction": 0.5}})
    result = CliRunner().invoke(main, ["prepare", "-w", str(tmp_path)])
    assert result.exit_code == 0, result.output
    with (tmp_path / "artifacts/rejected.csv").open() as file:
        reasons = {row["path"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons["val-000003.tar/more.jpg"] == "label out of range: 2 of 2 classes"


def test_shards_without_classes_are_all_for_validation(photos, tmp_path):
    images = list(layouts.files_of(photos).values())
    layouts.write_tar(
        tmp_path / "shards/train-0.tar", {f"{n}.jpg": data for n, data in enumerate(images)}
    )
    manifest = prepared(tmp_path, "shards")
    assert {(row.split, row.label) for row in manifest.rows} == {("val", "")}
    assert len(manifest.rows) == len(images)


def test_a_shard_that_was_replaced_is_noticed(photos, tmp_path):
    as_webdataset(photos, tmp_path)
    manifest = prepared(tmp_path, "shards")
    store = open_images(tmp_path / "shards")
    first = manifest.rows[0]
    shutil.copy(tmp_path / "shards/val-000000.tar", tmp_path / "shards" / first.path.split("/")[0])
    with pytest.raises(AtlasError, match=r"is not the file that the manifest lists|truncated"):
        read_verified(store, first)
