import csv

import numpy as np
import pytest

from pipeline.errors import AtlasError
from pipeline.storage.predictions import (
    Prediction,
    predictions,
    read_predictions,
    write_predictions,
)

CHANCES = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.4, 0.2]], np.float32)
CLASSES = ["a, b", "c", 'd"']


def test_predictions_name_the_most_probable_class_of_every_image(tmp_path):
    write_predictions(tmp_path / "p.csv", predictions(CLASSES, CHANCES))
    with (tmp_path / "p.csv").open(newline="") as file:
        lines = list(csv.reader(file))
    assert lines[0] == ["image", "class", "probability"]
    assert lines[1:] == [
        ["0", "a, b", "0.700000"],
        ["1", 'd"', "0.600000"],
        ["2", "a, b", "0.400000"],
    ]


def test_where_there_are_no_classes_nothing_is_predicted(tmp_path):
    write_predictions(tmp_path / "p.csv", predictions([], np.empty((3, 0), np.float32)))
    assert read_predictions(tmp_path / "p.csv") == []


def test_a_table_is_read_as_it_was_written(tmp_path):
    written = [Prediction(0, "a, b", 0.25), Prediction(1, 'd"', 1.0)]
    write_predictions(tmp_path / "p.csv", written)
    assert read_predictions(tmp_path / "p.csv") == written


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "its columns are not image, class, probability"),
        (b"image,class\n0,a\n", "its columns are not"),
        (b"image,class,probability\n0,a\n", "row 0 is not of image row 0"),
        (b"image,class,probability\n1,a,0.5\n", "row 0 is not of image row 0"),
        (b"image,class,probability\n0,a,1.5\n", "row 0 has the probability 1.5"),
        (b"image,class,probability\n0,a,nan\n", "row 0 has the probability nan"),
        (b"image,class,probability\n0,a,half\n", "could not convert string to float"),
        (b'image,class,probability\n0,"a,0.5\n', "unexpected end of data"),
        (b"image,class,probability\n0,\xff,0.5\n", "can't decode byte"),
    ],
)
def test_what_is_not_a_table_of_predictions_is_one_line(tmp_path, content, said):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(
        AtlasError, match=rf"p\.csv is not a table of predictions: .*{said}.*evaluate"
    ):
        read_predictions(tmp_path / "p.csv")
