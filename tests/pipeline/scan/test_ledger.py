"""The ledger: a chunk is in it whole or not at all, wherever a merge breaks off."""

import numpy as np
import pytest

from pipeline.errors import AtlasError
from pipeline.scan.ledger import Ledger, load_ledger
from pipeline.scan.tally import LayerTally, empty_tally
from pipeline.scan.top import Entries
from pipeline.storage.checked import read_checked

LAYERS = ("conv1", "conv2", "fc8")
CHUNKS = 5


def tally_of_one(number: int) -> LayerTally:
    """One image, whose two channels peak at its number."""
    tally = empty_tally(2, 9, signed=False)
    peaks = np.full((1, 2), number + 1, np.float32)
    channel, rows = np.arange(2), np.full(2, number, np.int32)
    cells = np.zeros((2, 2), np.int32)
    tally.add(Entries(channel, peaks[0], rows, cells), peaks, np.array([number % 2]))
    return tally


def chunk(number: int) -> dict[str, LayerTally]:
    return {layer: tally_of_one(number) for layer in LAYERS}


def run(path, chunks=range(CHUNKS)) -> Ledger:
    """Take the chunks that the file lacks, saving after each and at the end, as a scan does."""
    book = load_ledger(path, LAYERS)
    if book is None:
        tallies = {layer: empty_tally(2, 9, signed=False) for layer in LAYERS}
        book = Ledger(tallies, np.zeros(CHUNKS, bool))
    try:
        for number in chunks:
            book.take(number, chunk(number))
            book.save(path)
    finally:
        book.save(path)
    return book


def content(path) -> dict[str, bytes]:
    intact = read_checked(path)
    assert intact is not None
    with np.load(intact) as arrays:
        return {name: arrays[name].tobytes() for name in arrays.files}


@pytest.mark.parametrize("fault", [KeyboardInterrupt, AtlasError("No.", fix="Mend it.")])
@pytest.mark.parametrize("breaks_in", range(1, CHUNKS * len(LAYERS) + 1))
def test_a_merge_that_breaks_off_leaves_the_file_as_it_was(tmp_path, monkeypatch, breaks_in, fault):
    run(tmp_path / "whole.npz")
    merge, merged = LayerTally.merge, []

    def breaking(self, other):
        merged.append(other)
        if len(merged) == breaks_in:
            raise fault
        merge(self, other)

    with monkeypatch.context() as patched:
        patched.setattr(LayerTally, "merge", breaking)
        with pytest.raises((KeyboardInterrupt, AtlasError)):
            run(tmp_path / "broken.npz")
    run(tmp_path / "broken.npz")
    assert content(tmp_path / "broken.npz") == content(tmp_path / "whole.npz")


def test_an_interrupt_after_the_last_layer_counts_the_chunk_once(tmp_path, monkeypatch):
    run(tmp_path / "whole.npz")
    merge = LayerTally.merge

    def late(self, other):
        merge(self, other)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(LayerTally, "merge", late)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "broken.npz")
    run(tmp_path / "broken.npz")
    assert content(tmp_path / "broken.npz") == content(tmp_path / "whole.npz")


@pytest.mark.parametrize("fault", ["flipped", "cut"])
def test_a_damaged_ledger_is_begun_again(tmp_path, fault):
    path = tmp_path / "ledger.npz"
    run(path)
    whole, damaged = content(path), bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged if fault == "flipped" else damaged[:-1])
    run(path)
    assert content(path) == whole
