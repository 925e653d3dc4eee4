"""Hashes that name inputs."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_code(*rooms: Path) -> str:
    """One hash over the Python files of files and folders, names and bytes, in sorted order."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted(room.rglob("*.py")) if room.is_dir() else [room]:
            digest.update(f"{path.name}\0{sha256_of(path)}\0".encode())
    return digest.hexdigest()
