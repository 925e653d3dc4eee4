import itertools

import numpy as np
import pytest

from pipeline.errors import AtlasError
from pipeline.storage.provenance import Provenance
from pipeline.storage.spill import Spill, Table, Values
from pipeline.storage.stores import create_store, read_array

TABLES = {"conv1": Table(40, 2, {"projection": ((3, 3, 3), "float16"), "scale": ((), "float32")})}


def values(*places):
    number = np.array(places, np.float32)
    picture = np.broadcast_to(number[:, None, None, None], (len(places), 3, 3, 3))
    channel, rank = np.divmod(np.array(places), 2)
    arrays = {"projection": picture.astype(np.float16), "scale": number}
    return {"conv1": Values(channel, rank, arrays)}


def written(spill, path):
    root = create_store(path, "projections", Provenance("w", "m"))
    spill.write_layer(root, "projections", "conv1")
    group = dict(root.groups())["conv1"]
    return [read_array(group, "projections", name) for name in ("projection", "scale")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_store_is_the_same_in_any_order_of_chunks(tmp_path, order):
    chunks = [values(3, 79), values(64), values(1)]
    spill = Spill(tmp_path, TABLES)
    for number in order:
        spill.add(number, chunks[number])
    pictures, scales = written(spill, tmp_path / "store")
    expected = np.zeros(80, np.float32)
    expected[[3, 79, 64, 1]] = [3, 79, 64, 1]
    assert scales.ravel().tolist() == expected.tolist()
    assert (pictures == expected.reshape(40, 2, 1, 1, 1)).all()


def test_a_new_process_goes_on_with_what_was_finished(tmp_path):
    Spill(tmp_path, TABLES).add(7, values(5))
    resumed = Spill(tmp_path, TABLES)
    assert resumed.finished() == {7}
    resumed.add(2, values(6))
    assert written(resumed, tmp_path / "store")[1][2:4].tolist() == [[0, 5], [6, 0]]


def test_entry_bytes_count_every_array():
    assert TABLES["conv1"].entry_bytes == 27 * 2 + 4


def damage(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["conv1.projection", "conv1.scale", "finished.1"])
@pytest.mark.parametrize("fault", ["flipped", "cut", "gone"])
def test_a_chunk_whose_values_are_not_those_it_wrote_is_done_again(tmp_path, name, fault):
    spill = Spill(tmp_path, TABLES)
    spill.add(0, values(3))
    spill.add(1, values(79))  # the last place: the last byte of each file is its
    path = tmp_path / name
    if fault == "flipped":
        damage(path)
    elif fault == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    else:
        path.unlink()
    left = Spill(tmp_path, TABLES).finished()
    assert 1 not in left
    assert left <= {0}


def test_a_disk_without_enough_space_is_refused_before_any_work(tmp_path):
    huge = {"conv1": Table(1 << 20, 9, {"projection": ((999, 999, 3), "float16")})}
    with pytest.raises(AtlasError, match="No space left to write"):
        Spill(tmp_path, huge)
