"""A store is opened whole, of the right kind and run, or not at all."""

import dataclasses
import json

import numpy as np
import pytest
import xarray

from pipeline.errors import AtlasError
from pipeline.storage.provenance import Provenance
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.stores import (
    create_array,
    create_store,
    open_layer,
    open_store,
    read_array,
    read_scan,
    seal,
    write_scan,
)
from tests.pipeline.storage.records import record

RUN = Provenance("weights", "manifest", "model")


@pytest.fixture
def store(tmp_path):
    """A finished scan of one layer."""
    root = create_store(tmp_path / "scan.zarr", "scan", RUN)
    write_scan(root, "conv1", record().variables(), {"map_size": [4, 4]})
    seal(root)
    return tmp_path / "scan.zarr"


def test_what_was_written_is_read(store):
    root = open_store(store, "scan", RUN)
    found = read_scan(root, "conv1")
    for field in dataclasses.fields(ScanRecord):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(record(), field.name))
    assert root["conv1"].attrs["map_size"] == [4, 4]


def test_another_reader_finds_names_dimensions_and_edges(store):
    with xarray.open_zarr(store, group="conv1") as found:
        assert found["box"].dims == ("channel", "rank", "edge")
        assert found["activation"].values.tolist() == [[2, 1, 0], [5, 4, 3]]
        assert found["histogram"].attrs["edges"] == [0, 0.5, 1]


def test_equal_records_give_equal_bytes(store, tmp_path):
    root = create_store(tmp_path / "again.zarr", "scan", RUN)
    write_scan(root, "conv1", record().variables(), {"map_size": [4, 4]})
    seal(root)
    files = [
        {path.relative_to(base): path.read_bytes() for path in base.rglob("*") if path.is_file()}
        for base in (store, tmp_path / "again.zarr")
    ]
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("kind", "made_from", "said"),
    [
        ("crops", RUN, "is feature-atlas/scan version 1, not feature-atlas/crops version 1"),
        ("scan", Provenance("other", "manifest", "model"), "belongs to other weights"),
        ("scan", Provenance("weights", "other", "model"), "belongs to another manifest"),
        ("scan", Provenance("weights", "manifest", "other"), "belongs to another model"),
    ],
)
def test_a_store_of_another_kind_or_run_is_refused(store, kind, made_from, said):
    with pytest.raises(AtlasError, match=said):
        open_store(store, kind, made_from)


def test_a_store_that_is_not_there_or_not_finished_is_refused(tmp_path):
    with pytest.raises(AtlasError, match="There is no") as refusal:
        open_store(tmp_path / "scan.zarr", "scan")
    assert "dvc repro scan" in refusal.value.fix
    create_store(tmp_path / "scan.zarr", "scan", RUN)
    with pytest.raises(AtlasError, match="never finished"):
        open_store(tmp_path / "scan.zarr", "scan")


def test_changed_metadata_are_noticed(store):
    path = store / "zarr.json"
    content = json.loads(path.read_text())
    content["consolidated_metadata"]["metadata"]["conv1"]["attributes"]["map_size"] = [5, 5]
    path.write_text(json.dumps(content))
    with pytest.raises(AtlasError, match="its sha256 differs"):
        open_store(store, "scan")


@pytest.mark.parametrize("damage", ["gone", "changed"])
def test_a_chunk_that_is_gone_or_changed_is_an_error_and_no_zeros(store, damage):
    (chunk,) = (path for path in (store / "conv1" / "image" / "c").rglob("*") if path.is_file())
    if damage == "gone":
        chunk.unlink()
    else:
        chunk.write_bytes(chunk.read_bytes()[:-1] + bytes([chunk.read_bytes()[-1] ^ 1]))
    with pytest.raises(AtlasError, match="image is damaged") as refusal:
        read_scan(open_store(store, "scan"), "conv1")
    assert "dvc repro -f -s scan" in refusal.value.fix


def test_an_array_without_elements_has_no_chunk_that_could_be_gone(tmp_path):
    """Means over the classes of a network whose output is a map."""
    root = create_store(tmp_path / "scan.zarr", "scan", RUN)
    layer = root.create_group("conv1")
    create_array(layer, "mean_peak_by_class", ("channel", "class"), (2, 0), "<f4")
    seal(root)
    found = open_layer(open_store(tmp_path / "scan.zarr", "scan"), "conv1")
    assert read_array(found, "scan", "mean_peak_by_class").shape == (2, 0)
    assert read_array(found, "scan", "mean_peak_by_class", slice(1, 2)).shape == (1, 0)


def test_an_unknown_layer_is_refused_by_the_names_there_are(store):
    with pytest.raises(AtlasError, match=r"no layer 'conv9'; it holds conv1\."):
        open_layer(open_store(store, "scan"), "conv9")


def test_pictures_lie_in_a_chunk_per_channel_and_numbers_in_one(tmp_path):
    layer = create_store(tmp_path / "crops.zarr", "crops", RUN).create_group("conv1")
    crop = create_array(
        layer, "crop", ("channel", "rank", "row", "col", "rgb"), (40, 9, 7, 7, 3), "uint8"
    )
    assert (crop.chunks, crop.shards) == ((1, 9, 7, 7, 3), (32, 9, 7, 7, 3))
    scale = create_array(layer, "scale", ("channel", "rank"), (40, 9), "float32")
    assert (scale.chunks, scale.shards) == ((40, 9), None)
    crop[...] = np.arange(40, dtype=np.uint8).reshape(40, 1, 1, 1, 1)
    some = read_array(layer, "crops", "crop", slice(31, 34))
    assert some[:, 0, 0, 0, 0].tolist() == [31, 32, 33]
