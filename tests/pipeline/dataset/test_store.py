"""Image stores: the bytes by key, and no waiting for what is not a file."""

import os
import pickle
from pathlib import Path

import pytest

from pipeline.dataset.store import FolderStore, ImageStore, open_images


def test_a_folder_is_a_store_of_its_files(tmp_path):
    (tmp_path / "cat").mkdir()
    (tmp_path / "cat" / "a.jpg").write_bytes(b"bytes")
    store = pickle.loads(pickle.dumps(open_images(str(tmp_path))))
    assert isinstance(store, ImageStore)
    assert store == FolderStore(tmp_path)
    assert store.read("cat/a.jpg") == b"bytes"


def test_a_pipe_in_place_of_an_image_is_refused_without_waiting(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(OSError, match="not a regular file"):
        FolderStore(tmp_path).read("pipe.jpg")
    with pytest.raises(OSError, match="not a regular file"):
        FolderStore(Path("/dev")).read("zero")
