"""Hashes that name inputs."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Hash of a file's bytes, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_code(*packages: Path) -> str:
    """One hash over the Python files of files and folders, names and bytes, in sorted order."""
    digest = hashlib.sha256()
    for package in packages:
        for path in sorted(package.rglob("*.py")) if package.is_dir() else [package]:
            digest.update(f"{path.name}\0{sha256_of(path)}\0".encode())
    return digest.hexdigest()
