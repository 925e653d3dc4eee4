"""Rules of every entry and picture: right ones break none, and each rule can be broken."""

import dataclasses

import numpy as np
import pytest

from pipeline.dataset.manifest import ImageRow
from pipeline.dataset.store import FolderStore
from pipeline.network.ops import Curve
from pipeline.storage.hashing import sha256_of
from pipeline.storage.provenance import Provenance
from pipeline.storage.scan_record import ScanRecord
from pipeline.storage.stores import DIMENSIONS, create_array, create_store
from pipeline.verify.consistency import image_faults, named_faults, picture_faults, scan_faults
from tests.pipeline.network.small_graphs import chained, conv

GRAPH = chained((3, 8, 8), conv("a", 2, 3), Curve("relu"))
"""Fields of 3 × 3 pixels, one pixel apart."""
ROWS = [ImageRow("val", f"{n}.png", "one", 8, 8, "") for n in range(4)]
CELL = np.array([[[0, 0], [5, 2], [1, 1]], [[3, 4], [-1, -1], [-1, -1]]], np.int32)
RECORD = ScanRecord(
    np.array([[4, 2, 2], [1, 0, 0]], np.float32),
    np.array([[3, 0, 1], [2, -1, -1]], np.int32),
    CELL,
    np.concatenate([CELL, CELL + 3], axis=2) * (CELL[..., :1] >= 0).astype(np.int32),
    np.zeros((2, 1), np.int64),
    np.zeros(2, np.int64),
    np.zeros((2, 1), np.float32),
    (0.0, 1.0),
)


def with_value(values, at, value):
    changed = values.copy()
    changed[at] = value
    return changed


def test_right_entries_break_no_rule():
    assert list(scan_faults(GRAPH, "a", RECORD, ROWS)) == []


@pytest.mark.parametrize(
    ("name", "at", "value", "said"),
    [
        ("image", (0, 2), 4, "channel 0 rank 2 has an image row outside the manifest"),
        ("image", (0, 2), 0, "channel 0 rank 1 has an image twice, as 1 others"),
        ("image", (0, 0), -1, "channel 0 rank 0 has an entry after a missing one"),
        ("activation", (1, 2), 1, "channel 1 rank 2 has a missing entry with values"),
        ("cell", (1, 1), 0, "channel 1 rank 1 has a missing entry with values"),
        ("box", (1, 1), 1, "channel 1 rank 1 has a missing entry with values"),
        ("activation", (0, 0), np.nan, "channel 0 rank 0 has an activation that is not a number"),
        ("activation", (1, 0), 0, "channel 1 rank 0 has an activation that is not above 0"),
        ("activation", (0, 1), 5, "channel 0 rank 0 has a stronger entry after it"),
        ("image", (0, slice(1, 3)), [1, 0], "channel 0 rank 1 has a stronger entry after it"),
        ("cell", (0, 1), (6, 2), "channel 0 rank 1 has a cell outside the map"),
        ("box", (0, 1, 2), 9, "channel 0 rank 1 has a box that is not its cell's"),
    ],
)
def test_a_broken_rule_of_an_entry_is_named_with_its_place(name, at, value, said):
    record = dataclasses.replace(RECORD, **{name: with_value(getattr(RECORD, name), at, value)})
    assert any(said in fault for fault in scan_faults(GRAPH, "a", record, ROWS))


def pictures():
    """The arrays of both stores: one bright pixel in the middle of each picture."""
    there = RECORD.image >= 0
    projection = np.zeros((2, 3, 3, 3, 3), np.float16)
    projection[:, :, 1, 1, 0] = there
    levels = np.zeros((2, 3, 6, 6), np.uint8)
    for channel, rank in np.argwhere(there):
        levels[(channel, rank, *CELL[channel, rank])] = 255
    middle = np.concatenate([CELL + 1, CELL + 2], axis=2) * there[..., None]
    ends = np.stack([np.zeros((2, 3)), RECORD.activation], axis=2)
    crop = np.full((2, 3, 3, 3, 3), 9) * there[..., None, None, None]
    return {
        "projection": projection,
        "scale": there.astype(np.float32),
        "energy_box": middle.astype(np.int16),
        "activation_map": levels,
        "map_range": ends.astype(np.float32),
        "patch_similarity": np.array([0.5, np.nan], np.float32),  # of one entry there is none
        "crop": crop.astype(np.uint8),
    }


def faults_of(folder, arrays):
    """The faults of pictures as stores hold them."""
    groups = {}
    for kind in ("projections", "crops"):
        groups[kind] = create_store(folder / kind, kind, Provenance("w", "m"))
        layer = groups[kind].create_group("a")
        for name in DIMENSIONS[kind].keys() & arrays.keys():
            values = arrays[name]
            array = create_array(
                layer, name, DIMENSIONS[kind][name], values.shape, values.dtype.str
            )
            array[...] = values
    return list(picture_faults(GRAPH, "a", RECORD, groups["projections"], groups["crops"]))


def test_right_pictures_break_no_rule(tmp_path):
    assert faults_of(tmp_path, pictures()) == []


@pytest.mark.parametrize(
    ("name", "at", "value", "said"),
    [
        ("scale", (0, 1), np.inf, "channel 0 rank 1 has a scale that is not a size"),
        ("scale", (0, 1), 0, "channel 0 rank 1 has a projection that its scale does not fit"),
        ("crop", (1, 2), 1, "channel 1 rank 2 has pictures though it is missing"),
        ("map_range", (0, 2), (0, 3), "rank 2 has an activation map that its activation does not"),
        ("activation_map", (0, 1, 5, 2), 200, "rank 1 has an activation map that its activation"),
        ("energy_box", (1, 0), (3, 4, 6, 7), "channel 1 rank 0 has an energy box that its"),
        ("patch_similarity", 0, np.nan, "channel 0 rank 0 has no patch similarity"),
        ("patch_similarity", 1, 0.5, "channel 1 rank 0 has no patch similarity"),
        ("patch_similarity", 0, 1.5, "channel 0 rank 0 has no patch similarity"),
        ("energy_box", (1, 0), (4, 5, 5, 7), "channel 1 rank 0 has an energy box that its"),
    ],
)
def test_a_broken_rule_of_a_picture_is_named_with_its_place(tmp_path, name, at, value, said):
    arrays = pictures()
    arrays[name][at] = value
    assert any(said in fault for fault in faults_of(tmp_path, arrays))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda values: values[:, :2], "pictures of other channels or ranks"),
        (lambda values: values[:, :, :2], r"pictures of (2, 3) pixels, not (3, 3)"),
    ],
)
def test_pictures_of_another_shape_are_a_fault(tmp_path, change, said):
    arrays = pictures()
    (fault,) = faults_of(tmp_path, arrays | {"projection": change(arrays["projection"])})
    assert said in fault


def test_only_images_that_entries_show_are_read_and_a_changed_one_is_named(tmp_path):
    rows = []
    for number in range(4):
        path = tmp_path / f"{number}.png"
        path.write_bytes(bytes([number]))
        rows.append(dataclasses.replace(ROWS[number], sha256=sha256_of(path)))
    (tmp_path / "2.png").write_bytes(b"other")
    shown = dataclasses.replace(RECORD, image=np.array([[3, 0, 1], [1, -1, 9]], np.int32))
    assert list(image_faults({"a": shown}, rows, FolderStore(tmp_path))) == []
    (fault,) = image_faults({"a": RECORD}, rows, FolderStore(tmp_path))
    assert "2.png is not the file that the manifest lists" in fault


def test_a_sentence_names_the_first_place_and_counts_the_others():
    broken = np.array([[False, True], [True, True]])
    assert list(named_faults("a", "a fault", broken, 32)) == [
        "a channel 32 rank 1 has a fault, as 2 others"
    ]
    assert list(named_faults("a", "a fault", ~broken)) == ["a channel 0 rank 0 has a fault"]
    assert list(named_faults("a", "a fault", broken & ~broken)) == []
