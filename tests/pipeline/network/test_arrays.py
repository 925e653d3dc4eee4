import numpy as np
import pytest
from safetensors.numpy import save_file

from pipeline.errors import AtlasError
from pipeline.network.arrays import StoredWeights

WEIGHTS = {"a.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)}
SHAPES = {"a.weight": (2, 3, 2, 2)}


def written(folder, tensors) -> StoredWeights:
    path = folder / "w.safetensors"
    save_file(tensors, path)
    return StoredWeights(path, SHAPES)


def test_a_tensor_is_read_as_it_was_written(tmp_path):
    found = written(tmp_path, WEIGHTS).array("a.weight")
    assert found.dtype == np.float32
    assert np.array_equal(found, WEIGHTS["a.weight"])


@pytest.mark.parametrize(
    ("tensors", "what"),
    [
        ({"b": np.zeros(1, np.float32)}, "a.weight cannot be read"),
        ({"a.weight": np.zeros((2, 3), np.float32)}, r"float32 \(2, 3\), not \(2, 3, 2, 2\)"),
        ({"a.weight": np.zeros((2, 3, 2, 2), np.int64)}, "int64"),
    ],
)
def test_a_file_that_does_not_hold_it_is_refused(tmp_path, tensors, what):
    with pytest.raises(AtlasError, match=what):
        written(tmp_path, tensors).array("a.weight")


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    for make in (lambda: None, lambda: path.write_bytes(b"\x00" * 64)):
        make()
        with pytest.raises(AtlasError, match=r"w\.safetensors"):
            StoredWeights(path, SHAPES).array("a.weight")
