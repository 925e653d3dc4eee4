"""Squares read ahead: in order, bounded, and errors at their place."""

import numpy as np
import pytest

from pipeline.dataset.images import load_square
from pipeline.errors import AtlasError
from pipeline.scan.squares import squares_ahead
from tests.pipeline.scan.worlds import make_images


def test_squares_come_in_the_order_of_the_files(tmp_path):
    paths = [tmp_path / "a" / row.path for row in make_images(tmp_path / "a", 9)]
    for path, square in zip(paths, squares_ahead(paths, 68, 64, ahead=4), strict=True):
        np.testing.assert_array_equal(square, load_square(path, 68, 64))


def test_no_more_files_are_asked_for_than_may_wait(tmp_path):
    paths = [tmp_path / "a" / row.path for row in make_images(tmp_path / "a", 9)]
    asked = []
    squares = squares_ahead((asked.append(p) or p for p in paths), 68, 64, ahead=3)
    next(squares)
    assert len(asked) == 4
    squares.close()


def test_a_file_that_has_gone_is_named(tmp_path):
    with pytest.raises(AtlasError, match=r"gone\.png"):
        list(squares_ahead([tmp_path / "gone.png"], 68, 64, ahead=3))
