"""Squares read ahead: in order, bounded, and errors at their place."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.dataset.images import load_square
from pipeline.errors import AtlasError
from pipeline.scan.squares import squares_ahead
from tests.pipeline.scan.worlds import make_images


def test_squares_come_in_the_order_of_the_files(tmp_path):
    rows = make_images(tmp_path / "a", 9)
    for row, square in zip(rows, squares_ahead(tmp_path / "a", rows, 68, 64, ahead=4), strict=True):
        np.testing.assert_array_equal(square, load_square(tmp_path / "a" / row.path, 68, 64))


def test_no_more_files_are_asked_for_than_may_wait(tmp_path):
    rows = make_images(tmp_path / "a", 9)
    asked = []
    listed = (asked.append(row) or row for row in rows)
    squares = squares_ahead(tmp_path / "a", listed, 68, 64, ahead=3)
    next(squares)
    assert len(asked) == 4
    squares.close()


def test_a_file_that_has_gone_or_was_replaced_is_named(tmp_path):
    folder = tmp_path / "a"
    first, second, *_ = make_images(folder, 3)
    for change, told in ((replaced, "is not the file"), (Path.unlink, "cannot be read")):
        change(folder / second.path)
        squares = squares_ahead(folder, [first, second], 68, 64, ahead=3)
        next(squares)
        with pytest.raises(AtlasError, match=rf"0001\.png.*{told}"):
            next(squares)


def replaced(path):
    path.write_bytes((path.parent / "0002.png").read_bytes())
