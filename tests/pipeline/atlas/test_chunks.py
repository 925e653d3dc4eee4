import numpy as np

from pipeline.atlas import chunks as module
from pipeline.atlas.chunks import entry_chunks
from pipeline.atlas.layer_entries import entries_of
from pipeline.storage.scan_record import ScanRecord


def record(image):
    """A layer's scan in which only the images matter."""
    image = np.array(image, np.int32)
    channels, ranks = image.shape
    activation = np.arange(image.size, dtype=np.float32).reshape(image.shape)
    cell = np.stack([np.full(image.shape, 2), image], axis=2).astype(np.int32)
    return ScanRecord(
        activation,
        image,
        cell,
        np.zeros((channels, ranks, 4), np.int32),
        np.zeros((channels, 1), np.int64),
        np.zeros(channels, np.int64),
        np.zeros((channels, 1), np.float32),
        (0.0, 1.0),
    )


def test_missing_entries_are_left_out_and_the_rest_keep_their_place():
    found = entries_of(record([[5, -1, -1], [3, 5, -1]]))
    assert found.channel.tolist() == [1, 0, 1]
    assert found.rank.tolist() == [0, 0, 1]
    assert found.image.tolist() == [3, 5, 5]
    assert found.activation.tolist() == [3, 0, 4]
    assert found.cell.tolist() == [[2, 3], [2, 5], [2, 5]]


def test_every_entry_is_in_one_chunk_and_every_image_too(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_IMAGES", 3)
    chance = np.random.default_rng(0)
    images = {layer: chance.integers(-1, 20, (15, 4)) for layer in ("conv1", "conv2")}
    entries = {layer: entries_of(record(rows)) for layer, rows in images.items()}
    cut = list(entry_chunks(entries, {"conv1": 10, "conv2": 20}))
    for layer, found in entries.items():
        parts = [chunk[layer] for chunk in cut if layer in chunk]
        for name in ("channel", "rank", "image"):
            joined = np.concatenate([getattr(part, name) for part in parts])
            assert joined.tolist() == getattr(found, name).tolist()
    groups = [{int(i) for part in chunk.values() for i in part.image} for chunk in cut]
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert max(map(len, groups)) == 3


def test_a_chunk_is_closed_by_the_size_of_its_results(monkeypatch):
    monkeypatch.setattr(module, "CHUNK_BYTES", 100)
    entries = {"conv1": entries_of(record([[0, 1, 2, 3, 4]]))}
    assert [len(chunk["conv1"]) for chunk in entry_chunks(entries, {"conv1": 40})] == [3, 2]


def test_no_entries_make_no_chunks():
    assert list(entry_chunks({"conv1": entries_of(record([[-1, -1]]))}, {"conv1": 40})) == []
