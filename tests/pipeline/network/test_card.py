import hashlib
from functools import partial
from pathlib import Path

import pytest

from pipeline.errors import AtlasError
from pipeline.network.architectures import Variant
from pipeline.network.card import (
    check_snapshot,
    check_weights,
    kept_snapshots,
    load_card,
    named_snapshots,
    snapshot_path,
    start_sha256,
)
from pipeline.storage.sealed import read_sealed, write_sealed

WEIGHTS = b"weights"


@pytest.fixture
def folder(tmp_path) -> Path:
    """A model folder, its card written by hand."""
    (tmp_path / "weights.safetensors").write_bytes(WEIGHTS)
    facts = {
        "arch": "zfnet",
        "classes": ["a", "b", "c"],
        "resize": 256,
        "crop": 224,
        "mean": [10.0, 20.0, 30.0],
        "scale": 0.5,
        "seed": 0,
        "epochs_trained": 1,
        "weights_sha256": hashlib.sha256(WEIGHTS).hexdigest(),
        "manifest_sha256": "",
        "snapshots": {"0": hashlib.sha256(b"start").hexdigest()},
    }
    write_sealed(tmp_path / "model.json", facts)
    return tmp_path


def test_a_card_says_which_network_it_is_of(folder):
    card = load_card(folder)
    assert card.graph().tensors["conv1.weight"] == (96, 3, 7, 7)
    assert card.graph().tensors["fc8.weight"] == (3, 4096)
    assert card.framing == (256, 224, "bilinear")


def test_the_fields_of_a_variant_are_in_the_file_one_by_one(folder):
    facts = read_sealed(folder / "model.json", "")
    own = {"width": 0.5, "conv_channels": {"conv1": 64}, "fc_features": 100, "without": ["conv3"]}
    write_sealed(folder / "model.json", facts | own)
    card = load_card(folder)
    assert card.variant == Variant(0.5, {"conv1": 64}, 100, ("conv3",), dropout=0.0)
    assert card.graph().tensors["conv1.weight"] == (32, 3, 7, 7)
    content = card.model_dump(mode="json", exclude_none=True)
    assert content == {**facts, **own}
    assert list(content)[:6] == ["arch", *own, "classes"]


def test_a_field_of_the_variant_that_is_wrong_is_named_as_in_the_file(folder):
    facts = read_sealed(folder / "model.json", "")
    write_sealed(folder / "model.json", facts | {"width": "wide"})
    with pytest.raises(AtlasError, match=r"model\.json: `width`: "):
        load_card(folder)


@pytest.mark.parametrize("content", [None, b"{}", b"", b"\xff\xfe"])
def test_a_missing_or_damaged_card_is_named(folder, content):
    (folder / "model.json").unlink()
    if content is not None:
        (folder / "model.json").write_bytes(content)
    with pytest.raises(AtlasError, match=r"model\.json"):
        load_card(folder)


def test_other_weights_than_the_card_names_are_refused(folder):
    card = load_card(folder)
    check_weights(folder, card)
    (folder / "weights.safetensors").write_bytes(b"others")
    with pytest.raises(AtlasError, match="sha256 differs"):
        check_weights(folder, card)


def test_a_snapshot_is_the_one_that_the_card_names(folder):
    card, path = load_card(folder), snapshot_path(folder, 0)
    assert named_snapshots(folder, card) == (0,)
    for find in (start_sha256, partial(check_snapshot, epoch=0)):
        with pytest.raises(AtlasError, match=r"no .*epoch_000\..*, which model\.json names"):
            find(folder, card)
    with pytest.raises(AtlasError, match="the epochs kept are none"):
        check_snapshot(folder, card, 1)
    path.parent.mkdir()
    path.write_bytes(b"start")
    assert kept_snapshots(folder) == (0,)
    assert check_snapshot(folder, card, 0) == hashlib.sha256(b"start").hexdigest()
    path.write_bytes(b"another start")
    with pytest.raises(AtlasError, match="sha256 differs"):
        check_snapshot(folder, card, 0)


def test_of_a_card_that_names_no_snapshots_the_files_are_taken(folder):
    facts = read_sealed(folder / "model.json", fix="")
    write_sealed(folder / "model.json", facts | {"snapshots": {}})
    card, path = load_card(folder), snapshot_path(folder, 0)
    assert named_snapshots(folder, card) == ()
    assert start_sha256(folder, card) is None
    path.parent.mkdir()
    path.write_bytes(b"start")
    assert named_snapshots(folder, card) == (0,)
    assert start_sha256(folder, card) == hashlib.sha256(b"start").hexdigest()
