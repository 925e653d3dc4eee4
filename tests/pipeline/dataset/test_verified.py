"""Verified reading: the listed bytes, or an error that names the file."""

import numpy as np
import pytest

from pipeline.dataset.framing import centre_square
from pipeline.dataset.images import load_image
from pipeline.dataset.store import FolderStore
from pipeline.dataset.verified import load_verified, read_verified
from pipeline.errors import AtlasError
from tests.pipeline.scan.worlds import make_images


def test_the_bytes_and_the_square_are_the_files(tmp_path):
    row, *_ = make_images(tmp_path / "a", 2)
    data = (tmp_path / "a" / row.path).read_bytes()
    store = FolderStore(tmp_path / "a")
    assert read_verified(store, row) == data
    np.testing.assert_array_equal(
        load_verified(store, row, 68, 64), centre_square(load_image(data), 68, 64)
    )


def test_a_file_that_is_missing_or_was_replaced_is_named(tmp_path):
    first, second, _ = make_images(tmp_path / "a", 3)
    store = FolderStore(tmp_path / "a")
    path = tmp_path / "a" / first.path
    path.write_bytes((tmp_path / "a" / second.path).read_bytes())
    with pytest.raises(AtlasError, match=r"0000\.png is not the file that the manifest lists"):
        read_verified(store, first)
    path.unlink()
    with pytest.raises(AtlasError, match=r"0000\.png.*cannot be read.*No such file"):
        load_verified(store, first, 68, 64)
