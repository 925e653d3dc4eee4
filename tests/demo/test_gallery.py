from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from demo import CLASSES
from demo.gallery import Mark, Shot, all_marks, has_marks, marks_of, take, take_all

FACE = Shot("val", "face", 3)


def test_a_picture_hangs_in_the_folder_of_its_split_and_class():
    assert FACE.path == "val/face/face_0003.jpg"


def test_a_picture_s_place_in_the_data_set_alone_decides_its_chance():
    draws = {
        (seed, shot): shot.generator(seed).random()
        for seed in (0, 1)
        for shot in (FACE, Shot("train", "face", 3), Shot("val", "eye", 3), Shot("val", "face", 4))
    }
    assert len(set(draws.values())) == 8
    assert draws[0, FACE] == np.random.default_rng([0, 1, CLASSES.index("face"), 3]).random()


def test_only_validation_pictures_of_subjects_with_parts_have_marks():
    assert has_marks(FACE)
    assert not has_marks(Shot("train", "face", 3))
    assert not has_marks(Shot("val", "bricks", 3))


def test_pictures_are_hung_whole_and_listed(tmp_path):
    shots, done = [FACE, Shot("train", "bricks", 0)], []
    marks = take_all(tmp_path, 5, shots, done.append)
    assert done == [1, 1]
    found = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert [path.relative_to(tmp_path).as_posix() for path in found] == [
        "train/bricks/bricks_0000.jpg",
        "val/face/face_0003.jpg",
    ]
    with Image.open(tmp_path / FACE.path) as picture:
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
    assert marks
    assert all(isinstance(mark, Mark) and mark.path == FACE.path for mark in marks)
    assert marks_of(5, FACE) == all_marks(5, shots) == marks


def test_a_picture_that_cannot_be_hung_leaves_none(tmp_path):
    with pytest.raises(OSError, match=r"No such file"):
        take(tmp_path / "missing", 0, Shot("train", "bricks", 0))
    assert not list(Path(tmp_path).iterdir())
