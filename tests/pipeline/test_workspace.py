"""Paths of a run: a text that is not a path is refused in one line."""

import pytest

from pipeline.errors import AtlasError
from pipeline.workspace import Workspace


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a\0b", r"'a\\x00b' holds a character that no path can"),
        ("~nosuchuser/x", "names the home of an unknown user"),
        ("a/" * 3000, r"is not a path \(File name too long\)"),
    ],
)
def test_what_is_not_a_path_is_refused(tmp_path, text, problem):
    with pytest.raises(AtlasError, match=problem) as caught:
        Workspace(tmp_path).resolve(text)
    assert len(str(caught.value)) < 1500


def test_a_relative_path_starts_at_the_workspace(tmp_path):
    assert Workspace(tmp_path).resolve("photos") == tmp_path / "photos"
    assert Workspace(tmp_path).resolve("/photos").as_posix() == "/photos"
