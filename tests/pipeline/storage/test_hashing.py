"""Hashes name bytes, and code by its Python files alone."""

import pytest

from pipeline.storage.hashing import sha256_of, sha256_of_code


def test_the_hash_of_abc_is_the_published_test_vector(tmp_path):
    file = tmp_path / "abc"
    file.write_bytes(b"abc")
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of(file) == expected


@pytest.fixture
def package(tmp_path):
    package = tmp_path / "package"
    (package / "deep").mkdir(parents=True)
    (package / "a.py").write_text("a = 1\n")
    (package / "deep" / "b.py").write_text("b = 2\n")
    return package


def test_code_hashes_differ_when_a_file_changes_moves_or_comes(package):
    seen = [sha256_of_code(package)]
    (package / "deep" / "b.py").write_text("b = 3\n")
    seen.append(sha256_of_code(package))
    (package / "a.py").rename(package / "c.py")
    seen.append(sha256_of_code(package))
    (package / "d.py").touch()
    seen.append(sha256_of_code(package))
    assert len(set(seen)) == len(seen)


def test_code_hashes_ignore_what_is_not_code_and_where_it_is(package, tmp_path):
    before = sha256_of_code(package)
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "a.cpython-311.pyc").write_bytes(b"x")
    (package / "notes.txt").touch()
    assert sha256_of_code(package.rename(tmp_path / "elsewhere")) == before


def test_a_single_file_counts_as_code(package):
    assert sha256_of_code(package / "a.py") != sha256_of_code(package / "deep" / "b.py")
