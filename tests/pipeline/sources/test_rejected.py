"""The rejected list as a table."""

import csv

import pytest

from pipeline.sources.rejected import Rejection, is_named_as_picture, write_rejected


def test_the_table_holds_path_and_reason(tmp_path):
    rejected = (
        Rejection("a/b\n.jpg", "truncated: 3 bytes, no more", False),
        Rejection("c", "hidden", True),
    )
    write_rejected(tmp_path / "rejected.csv", rejected)
    with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["path", "reason"],
            ["a/b\n.jpg", "truncated: 3 bytes, no more"],
            ["c", "hidden"],
        ]


def test_the_kind_is_the_reason_without_what_is_special_to_the_file():
    assert Rejection("x", "truncated: 3 bytes: really", False).kind == "truncated"
    assert Rejection("x", "hidden", True).kind == "hidden"


@pytest.mark.parametrize(
    ("name", "picture"),
    [("a.JPG", True), ("a.b/c.webp", True), (".jpg", False), ("jpg", False), ("a.jpg.txt", False)],
)
def test_the_last_suffix_tells_a_picture(name, picture):
    assert is_named_as_picture(name) is picture
