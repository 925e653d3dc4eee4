import json
from contextlib import suppress

import pytest

from pipeline.errors import AtlasError
from pipeline.storage.sealed import read_sealed, write_sealed

CONTENT = {"rate": 0.1, "layers": {"conv1": [1, 2.5, None]}, "name": "Größe", "ok": True}


def test_what_was_written_is_read(tmp_path):
    write_sealed(tmp_path / "r.json", CONTENT)
    assert read_sealed(tmp_path / "r.json", fix="") == CONTENT
    assert list(json.loads((tmp_path / "r.json").read_text()))[-1] == "sha256"


def test_another_layout_of_the_same_values_is_the_same_file(tmp_path):
    write_sealed(tmp_path / "r.json", CONTENT)
    found = json.loads((tmp_path / "r.json").read_text())
    (tmp_path / "r.json").write_text(json.dumps(dict(reversed(found.items()))))
    assert read_sealed(tmp_path / "r.json", fix="") == CONTENT


def test_any_byte_that_changes_is_noticed_or_changes_no_value(tmp_path):
    path = tmp_path / "r.json"
    write_sealed(path, CONTENT)
    content = path.read_bytes()
    for place in range(len(content)):
        for bit in (0, 1, 5):
            changed = bytearray(content)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            with suppress(AtlasError):
                assert read_sealed(path, fix="Again.") == CONTENT


@pytest.mark.parametrize("content", [b"", b"[1]", b"{", b"\xff", b"[" * 10**5, b'{"rate": 0.1}'])
def test_what_is_not_a_sealed_object_is_one_line(tmp_path, content):
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(AtlasError, match=r"r\.json (cannot be read|is not as it was written)"):
        read_sealed(tmp_path / "r.json", fix="Again.")


def test_a_file_that_others_write_too_need_have_no_seal_but_no_wrong_one(tmp_path):
    path = tmp_path / "r.json"
    path.write_text('{"a": 1}')
    assert read_sealed(path, fix="", required=False) == {"a": 1}
    path.write_text('{"a": 1, "sha256": "0"}')
    with pytest.raises(AtlasError, match="not as it was written"):
        read_sealed(path, fix="", required=False)
