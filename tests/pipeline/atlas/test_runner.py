"""Work in chunks: every entry once, whatever was finished before."""

import numpy as np
import pytest

from pipeline.atlas.layer_entries import LayerEntries
from pipeline.atlas.runner import entry_task, numbered_chunks, picture_tables, run_chunks
from pipeline.dataset.manifest import ImageRow
from pipeline.network.ops import Curve
from pipeline.storage.spill import Spill, Table, Values
from tests.figure_making import Here
from tests.pipeline.network.small_graphs import chained, conv

ROWS = [ImageRow("val", f"{n}.png", "one", 9, 9, "") for n in range(300)]
TABLES = {"a": Table(300, 1, {"scale": ((), "float32")})}


def entries(images):
    count = len(images)
    return LayerEntries(
        np.arange(count),
        np.zeros(count, np.int64),
        np.array(images, np.int32),
        np.zeros((count, 2), np.int32),
        np.ones(count, np.float32),
    )


def worked(task, device):
    part = task.chunk["a"]
    scale = np.array([task.config * int(row) for row in part.image], np.float32)
    return {"a": Values(part.channel, part.rank, {"scale": scale})}


def failing(task, device):
    if 200 in task.images:
        raise KeyboardInterrupt
    return worked(task, device)


def run(folder, work, advance, pool):
    chunks = numbered_chunks({"a": entries(range(300))}, TABLES)
    spill = Spill(folder, TABLES)
    run_chunks(pool, work, 2, ROWS, chunks, spill, advance)
    return chunks, spill


def test_a_task_holds_the_rows_of_its_own_images():
    task = entry_task("config", ROWS, {"a": entries([7, 7, 3])})
    assert task.images == {3: ROWS[3], 7: ROWS[7]}
    assert task.config == "config"


def test_chunks_that_are_finished_are_not_done_again(tmp_path):
    counted = []
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, failing, counted.append, Here())
    assert sum(counted) == 128  # the first chunk
    again, pool = [], Here()
    chunks, spill = run(tmp_path, worked, again.append, pool)
    assert len(chunks) == 3
    assert pool.done == [1, 2]
    assert again[0] == 128
    assert sum(again) == 300
    assert spill.finished() == {0, 1, 2}


def test_a_table_has_a_picture_of_the_field_for_every_entry():
    graph = chained((3, 12, 12), conv("a", 4, 3), Curve("relu"), conv("b", 5, 3))
    shapes, ranks = {"a": (4, 9), "b": (5, 2)}, {"a": 9, "b": 9}
    tables = picture_tables(graph, shapes, ranks, "crop", "uint8", scale=((), "float32"))
    assert tables["a"] == Table(4, 9, {"crop": ((3, 3, 3), "uint8"), "scale": ((), "float32")})
    assert tables["b"].arrays["crop"] == ((5, 5, 3), "uint8")
    assert tables["b"].entry_bytes == 5 * 5 * 3 + 4
