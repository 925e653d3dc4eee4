"""The checkpoint: a chunk is in it whole or not at all, wherever a merge breaks off."""

import numpy as np
import pytest

from pipeline.errors import AtlasError
from pipeline.scan.checkpoint import ScanCheckpoint
from pipeline.scan.layer_statistics import LayerStatistics
from tests.pipeline.scan.batches import batch, facts

LAYERS = ("conv1", "conv2", "fc8")
CHUNKS = 5


def chunk(number: int) -> dict[str, LayerStatistics]:
    """One image, whose two channels peak at its number."""
    layers = {layer: LayerStatistics(facts(2)) for layer in LAYERS}
    for statistics in layers.values():
        statistics.add(batch(np.full((1, 2), number + 1), [number]))
    return layers


def run(path, chunks=range(CHUNKS)) -> ScanCheckpoint:
    """Merge the chunks that the file lacks, saving after each and at the end, as a scan does."""
    layers = {layer: LayerStatistics(facts(2)) for layer in LAYERS}
    checkpoint = ScanCheckpoint(layers, np.zeros(CHUNKS, bool))
    checkpoint.load(path)
    try:
        for number in chunks:
            checkpoint.merge(number, chunk(number))
            checkpoint.save(path)
    finally:
        checkpoint.save(path)
    return checkpoint


def content(path) -> dict[str, bytes]:
    loaded = run(path, chunks=())
    assert loaded.finished.all()
    return {
        f"{layer}/{name}": np.asarray(values).tobytes()
        for layer, statistics in loaded.layers.items()
        for name, values in statistics.state().items()
    }


@pytest.mark.parametrize("fault", [KeyboardInterrupt, AtlasError("No.", fix="Fix it.")])
@pytest.mark.parametrize("breaks_in", range(1, CHUNKS * len(LAYERS) + 1))
def test_a_merge_that_breaks_off_leaves_the_file_as_it_was(tmp_path, monkeypatch, breaks_in, fault):
    run(tmp_path / "whole")
    merge, merged = LayerStatistics.merge, []

    def breaking(self, other):
        merged.append(other)
        if len(merged) == breaks_in:
            raise fault
        merge(self, other)

    with monkeypatch.context() as patched:
        patched.setattr(LayerStatistics, "merge", breaking)
        with pytest.raises((KeyboardInterrupt, AtlasError)):
            run(tmp_path / "broken")
    run(tmp_path / "broken")
    assert content(tmp_path / "broken") == content(tmp_path / "whole")


def test_an_interrupt_after_the_last_layer_counts_the_chunk_once(tmp_path, monkeypatch):
    run(tmp_path / "whole")
    merge = LayerStatistics.merge

    def late(self, other):
        merge(self, other)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(LayerStatistics, "merge", late)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "broken")
    run(tmp_path / "broken")
    assert content(tmp_path / "broken") == content(tmp_path / "whole")


def test_a_damaged_file_is_begun_again(tmp_path):
    run(tmp_path / "whole")
    damaged = bytearray((tmp_path / "whole").read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    assert not run(tmp_path / "damaged", chunks=()).finished.any()
