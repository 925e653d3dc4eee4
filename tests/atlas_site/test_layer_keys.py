import re

import pytest

from atlas_site.layer_keys import layer_keys


def test_module_paths_stay_as_they_are():
    names = ["conv1", "layer1.0.conv1", "features.0", "fc8"]
    assert layer_keys(names) == {name: name for name in names}


@pytest.mark.parametrize(
    "name",
    [
        "a:b1",
        "con",
        "../../etc/passwd",
        ".hidden",
        "a b",
        "é",
        "<script>",
        "%2e%2e",
        "x" * 50,
        "",
        "a1.",
    ],
)
def test_a_key_is_safe_in_a_url_and_on_any_file_system(name: str):
    key = layer_keys([name])[name]
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9_-])?", key)
    assert key.lower() not in {"con", "aux", "nul", "index", "images", "classes", "channels"}


def test_keys_differ_even_where_letter_case_does_not_count():
    names = ["a:1", "a/1", "A-1", "index", "Index"]
    keys = [key.lower() for key in layer_keys(names).values()]
    assert len(set(keys)) == len(names)
