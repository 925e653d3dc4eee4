"""Hashes name bytes, and code by its Python files alone."""

import pytest

from pipeline.storage.hashing import sha256_of, sha256_of_code


def test_the_hash_of_abc_is_the_published_test_vector(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(file) == expected


@pytest.fixture
def room(tmp_path):
    room = tmp_path / "room"
    (room / "deep").mkdir(parents=True)
    (room / "a.py").write_text("a = 1\n")
    (room / "deep" / "b.py").write_text("b = 2\n")
    return room


def test_code_hashes_differ_when_a_file_changes_moves_or_comes(room):
    seen = [sha256_of_code(room)]
    (room / "deep" / "b.py").write_text("b = 3\n")
    seen.append(sha256_of_code(room))
    (room / "a.py").rename(room / "c.py")
    seen.append(sha256_of_code(room))
    (room / "d.py").touch()
    seen.append(sha256_of_code(room))
    assert len(set(seen)) == len(seen)


def test_code_hashes_ignore_what_is_not_code_and_where_it_is(room, tmp_path):
    before = sha256_of_code(room)
    (room / "__pycache__").mkdir()
    (room / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"x")
    (room / "notes.txt").touch()
    assert sha256_of_code(room.rename(tmp_path / "elsewhere")) == before


def test_a_single_file_counts_as_code(room):
    assert sha256_of_code(room / "a.py") != sha256_of_code(room / "deep" / "b.py")
