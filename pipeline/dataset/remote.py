"""Images at a URL, through fsspec: retried, and kept on disk on request."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

import fsspec
from fsspec import core

from pipeline.dataset.members import is_archive, read_member, split_key
from pipeline.errors import AtlasError

CACHE_VARIABLE = "ATLAS_IMAGE_CACHE"
"""The environment variable that names a folder for copies of images read from a URL."""
WAITS_S = (0.25, 1.0, 4.0)
"""Seconds before each further attempt at a read that failed."""

Result = TypeVar("Result")


def _cache_folder() -> Path | None:
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named).expanduser().absolute() if named else None


@dataclass(frozen=True)
class RemoteStore:
    """The files below a URL, or of one archive at it.

    Credentials come from the environment, as the protocol's own tools take them.
    """

    url: str
    cache: Path | None = field(default_factory=_cache_folder)
    """Where copies are kept, each with its hash; None keeps none."""

    def __post_init__(self) -> None:
        check_url(self.url)

    def __str__(self) -> str:
        return self.url.rstrip("/")

    def read(self, key: str) -> bytes:
        """An image's bytes, from the cache where they are there. Raises OSError."""
        if self.cache is None:
            return self._fetch(key)
        copy = self.cache / hashlib.sha256(f"{self.url}\0{key}".encode()).hexdigest()
        data = _read_copy(copy)
        if data is None:
            data = self._fetch(key)
            _write_copy(copy, data)
        return data

    def _fetch(self, key: str) -> bytes:
        path, position = split_key(key)
        if position:
            return read_member(self, path, position)
        return retried(lambda: cast(bytes, self.system.cat_file(self.full_path(path))))

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Some bytes of a file. Raises OSError."""
        full, end = self.full_path(path), start + length
        data = retried(lambda: cast(bytes, self.system.cat_file(full, start=start, end=end)))
        # A web server may answer a request for a part with the whole.
        return data[start:end] if len(data) > length else data

    def open(self, path: str) -> Any:
        """A file, open for reading and seeking. Raises OSError."""
        return retried(lambda: self.system.open(self.full_path(path), "rb"))

    def full_path(self, path: str) -> str:
        """A file's path as the file system takes it."""
        root = str(core.url_to_fs(self.url)[1]).rstrip("/")
        if is_archive(root) or not path:
            return root
        return f"{root}/{quote(path) if self.is_web else path}"

    @property
    def is_web(self) -> bool:
        """Whether names are escaped, as they are in the addresses of web pages."""
        return self.url.startswith(("http://", "https://"))

    @property
    def system(self) -> Any:
        """fsspec's file system of the URL's protocol."""
        return _file_system(urlsplit(self.url).scheme, self.url)


@cache
def _file_system(scheme: str, url: str) -> Any:
    try:
        return core.url_to_fs(url)[0]
    except (ImportError, ValueError) as error:
        raise AtlasError(
            f"data.root {url} cannot be opened: {' '.join(str(error).split())}.",
            fix=f"Install what fsspec needs for {scheme}://, or correct the URL.",
        ) from None


def check_url(url: str) -> None:
    """Raise AtlasError for a URL with a password or a signature: params.yaml is published."""
    parts = urlsplit(url)
    if "@" in parts.netloc and parts.scheme != "hf":
        place = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        raise AtlasError(
            f"data.root holds credentials for {place}; the atlas would publish them.",
            fix="Remove them, and give them in the environment as that service's tools do.",
        )
    if parts.query:
        raise AtlasError(
            f"data.root is a URL with a query: {parts.scheme}://{parts.netloc}{parts.path}?…",
            fix="Give the folder's own URL, and credentials in the environment.",
        )


def retried(attempt: Callable[[], Result]) -> Result:
    """The result of an attempt, repeated after failures that may pass. Raises OSError."""
    for wait_s in (*WAITS_S, None):
        try:
            return attempt()
        except (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError):
            raise
        except _transient() as error:
            if wait_s is None:
                raise OSError(f"{type(error).__name__}: {' '.join(str(error).split())}") from error
            time.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


@cache
def _transient() -> tuple[type[BaseException], ...]:
    """What file systems raise when a server is slow, busy, or cuts an answer short."""
    errors: tuple[type[BaseException], ...] = (OSError, TimeoutError, fsspec.FSTimeoutError)
    try:
        from aiohttp import ClientError
    except ImportError:
        return errors
    return (*errors, ClientError)


def _read_copy(path: Path) -> bytes | None:
    """A copy's bytes; None where it is missing or damaged."""
    try:
        held = path.read_bytes()
    except OSError:
        return None
    digest, data = held[:32], held[32:]
    return data if hashlib.sha256(data).digest() == digest else None


def _write_copy(path: Path, data: bytes) -> None:
    """Keep a copy, whole or not at all; a full disk is no reason to stop."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(hashlib.sha256(data).digest() + data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
