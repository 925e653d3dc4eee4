"""Prepare where a server or a shard is at fault: every image in the end, or one line of why."""

import csv
import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipeline.dataset import attempts, remote
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


@pytest.fixture
def quick(monkeypatch):
    """No waits, and decoding in this process, where they are patched."""
    monkeypatch.setattr(attempts, "WAITS_S", (0.0, 0.0, 0.0))

    def decoded(work, refuse, jobs, count, start):
        return ((job, work(job)) for job in jobs)

    monkeypatch.setattr("pipeline.sources.prepare.decoded", decoded)


def expected(photos: Path) -> set[tuple[str, str, str]]:
    """Split, class and hash of every photograph."""
    return {
        (*path.split("/")[:2], hashlib.sha256(data).hexdigest())
        for path, data in layouts.files_of(photos).items()
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_server_that_fails_now_and_then_loses_no_image(photos, tmp_path, quick, layout):
    root = layout(photos, tmp_path)
    with layouts.served(tmp_path) as server:
        server.failures[:] = ["503", "reset", "half", "none", "503", "half", "reset"]
        manifest = prepared(tmp_path, f"{server.url}/{root}")
        assert server.failures == []
    assert {(row.split, row.label, row.sha256) for row in manifest.rows} == expected(photos)


@pytest.mark.parametrize("failure", ["503", "half", "reset"])
def test_a_server_that_only_fails_ends_prepare_in_one_line(photos, tmp_path, quick, failure):
    with layouts.served(photos) as server:
        server.failing, server.failures[:] = ".jpg", [failure] * 1000
        line = fault(tmp_path, server.url)
        assert "photo 0.jpg cannot be read" in line
        assert "Run again when its server answers" in line
        server.failures.clear()
        manifest = prepared(tmp_path, server.url)
    assert {(row.split, row.label, row.sha256) for row in manifest.rows} == expected(photos)


def test_a_server_that_answers_slowly_loses_no_image(photos, tmp_path, quick, monkeypatch):
    monkeypatch.setattr(remote, "SILENCE_S", 0.5)
    with layouts.served(photos) as server:
        server.failing, server.failures[:] = ".jpg", ["slow", "none", "slow"]
        manifest = prepared(tmp_path, server.url)
        assert server.failures == []
    assert {(row.split, row.label, row.sha256) for row in manifest.rows} == expected(photos)


def test_a_server_that_never_answers_ends_prepare_in_one_line(photos, tmp_path, quick, monkeypatch):
    monkeypatch.setattr(remote, "SILENCE_S", 0.2)
    with layouts.served(photos) as server:
        server.failing, server.failures[:] = ".jpg", ["slow"] * 100
        assert "photo 0.jpg cannot be read" in fault(tmp_path, server.url)


FAILING = [
    (layout, failing, failure)
    for layout, failing in (
        (as_tar, "photos.tar"),
        (as_zip, "photos.zip"),
        (as_webdataset, "val-000001.tar"),
        (as_webdataset, "classes.txt"),
        (as_parquet, "validation-00001-of-00002.parquet"),
    )
    for failure in ("404", "503")
]


@pytest.mark.parametrize(("layout", "failing", "failure"), FAILING)
def test_a_file_of_images_that_only_fails_is_named(
    photos, tmp_path, quick, layout, failing, failure
):
    root = layout(photos, tmp_path)
    with layouts.served(tmp_path) as server:
        server.failing, server.failures[:] = failing, [failure] * 1000
        line = fault(tmp_path, f"{server.url}/{root}")
    assert f"{failing} cannot be read" in line
    assert ("Run again when its server answers" in line) == (failure == "503")


@pytest.mark.parametrize("layout", [as_tar, as_zip, as_webdataset, as_parquet])
def test_an_image_inside_a_file_that_only_fails_is_named(photos, tmp_path, quick, layout):
    root = layout(photos, tmp_path)
    manifest = prepared(tmp_path, root)
    with layouts.served(tmp_path) as server:
        store = open_images(f"{server.url}/{root}")
        server.failures[:] = ["503"] * 1000
        with pytest.raises(AtlasError, match="Run again when its server answers"):
            read_verified(store, manifest.rows[0])


SIGNATURE = "X-Amz-Credential=key-of-the-test&X-Amz-Signature=secret-of-the-test"


@pytest.mark.parametrize("failure", ["403", "503"])
def test_signed_addresses_are_written_nowhere(photos, tmp_path, quick, caplog, failure):
    caplog.set_level("DEBUG")
    write_params(tmp_path, {"data": {"root": "later", "max_rejected_fraction": 0.1}})
    with layouts.served(photos) as server:
        server.signature = SIGNATURE
        server.failing, server.failures[:] = ".jpg", [failure] * (1 if failure == "403" else 9)
        params = tmp_path / "params.yaml"
        params.write_text(params.read_text().replace("root: later", f"root: {server.url}"))
        result = CliRunner().invoke(main, ["prepare", "-w", str(tmp_path)])
        assert any(SIGNATURE in path for path in server.asked)
    assert result.exit_code == (failure == "503"), result.output
    if failure == "403":
        assert [row["reason"][:45] for row in rejected(tmp_path)] == [
            "unreadable: ClientResponseError: 403, message"
        ]
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    ours = [r for r in caplog.records if r.name.startswith(("pipeline", "stages"))]
    logged = "".join(record.getMessage() for record in ours)
    assert b"-of-the-test" not in written + result.output.encode() + logged.encode()


@pytest.mark.parametrize("layout", [as_tar, as_zip, as_webdataset, as_parquet])
def test_what_an_unchanged_file_at_a_url_holds_is_not_read_again(photos, tmp_path, quick, layout):
    root = layout(photos, tmp_path)
    with layouts.served(tmp_path) as server:
        prepared(tmp_path, f"{server.url}/{root}")
        first = len(server.asked)
        server.asked.clear()
        prepared(tmp_path, f"{server.url}/{root}")
    assert len(server.asked) < first
    files = [path for path in server.asked if path.endswith((".tar", ".zip", ".parquet"))]
    assert len(files) <= 3 * len(set(files))  # labels are read on the way, not one by one


def test_an_image_that_the_server_lacks_is_listed(photos, tmp_path, quick):
    with layouts.served(photos) as server:
        write_params(tmp_path, {"data": {"root": server.url, "max_rejected_fraction": 0.1}})
        server.failing, server.failures[:] = ".jpg", ["404"]
        result = CliRunner().invoke(main, ["prepare", "-w", str(tmp_path)])
    assert result.exit_code == 0, result.output
    (row,) = rejected(tmp_path)
    assert row["path"].endswith("photo 0.jpg")
    assert row["reason"].startswith("unreadable")


def rejected(workspace: Path) -> list[dict[str, str]]:
    with (workspace / "artifacts/rejected.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_truncated_shard_is_named(photos, tmp_path):
    layouts.write_webdataset(photos, tmp_path / "shards")
    shard = tmp_path / "shards/val-000001.tar"
    shard.write_bytes(shard.read_bytes()[:3000])
    assert "val-000001.tar is truncated or damaged" in fault(tmp_path, "shards")
    layouts.write_parquet(photos, tmp_path / "hub")
    shard = tmp_path / "hub/data/train-00001-of-00002.parquet"
    shard.write_bytes(shard.read_bytes()[:3000])
    assert "train-00001-of-00002.parquet cannot be read as parquet" in fault(tmp_path, "hub")


def test_a_parquet_label_out_of_range_is_listed(photos, tmp_path, quick):
    root = parquet_with_labels(photos, tmp_path, [0, 1, 2, -1], pa.int64())
    write_params(tmp_path, {"data": {"root": root, "max_rejected_fraction": 0.5}})
    result = CliRunner().invoke(main, ["prepare", "-w", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert [row["reason"] for row in rejected(tmp_path)] == [
        "label out of range: 2 of 2 classes",
        "label out of range: -1 of 2 classes",
    ]


def test_parquet_labels_that_are_no_classes_are_named(photos, tmp_path):
    root = parquet_with_labels(photos, tmp_path, [[0], [1], [0, 1], []], pa.list_(pa.int64()))
    line = fault(tmp_path, root)
    assert "list<" in line
    assert "in its column label, neither numbers nor names of classes" in line


def parquet_with_labels(photos: Path, at: Path, labels: list[object], kind: pa.DataType) -> str:
    """The hub's layout with a third shard of its own labels."""
    layouts.write_parquet(photos, at / "hub")
    other = pq.read_table(next((at / "hub/data").glob("validation-*")))
    images = [other.column("image")[0].as_py()] * len(labels)
    table = pa.table({"image": images, "label": pa.array(labels, kind)})
    table = table.replace_schema_metadata(other.schema.metadata)
    pq.write_table(table, at / "hub/data/validation-more.parquet")
    return "hub"
