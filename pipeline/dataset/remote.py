"""Images at a URL, through fsspec: retried, and kept on disk on request."""

import hashlib
import io
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote, urlsplit

from fsspec import core

from pipeline.dataset.attempts import retried
from pipeline.dataset.members import is_archive, read_member, split_key
from pipeline.errors import AtlasError

CACHE_VARIABLE = "ATLAS_IMAGE_CACHE"
"""The environment variable that names a folder for copies of images read from a URL."""
SILENCE_S = 30.0
"""A web server that sends nothing for so long has failed."""
ANSWER_S = 300.0
"""A web server whose answer takes longer has failed."""
BLOCK = 1 << 20
"""Bytes asked for at once of a file that is read in pieces."""
VERSIONS = (
    *("ETag", "etag", "md5Hash", "blob_id", "mtime"),
    *("LastModified", "last_modified", "Last-Modified"),
)
"""Facts of a file that change when it does, by the names that file systems give them."""


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
        """A file, open for reading and seeking. It and its reads raise OSError."""
        facts = retried(lambda: self._facts(path))
        file = RemoteFile(self, path, int(facts["size"]), stamp_of_facts(facts))
        return io.BufferedReader(file, BLOCK)

    def _facts(self, path: str) -> dict[str, Any]:
        """What the server says of a file, its size at least."""
        full = self.full_path(path)
        try:
            facts: dict[str, Any] = self.system.info(full)
        except FileNotFoundError:
            if not self.is_web:
                raise
            # fsspec says so of every failure; reading says which it was.
            self.system.cat_file(full, start=0, end=1)
            raise OSError("the server did not say how large it is") from None
        if facts["size"] is None:
            raise OSError("the server does not say how large it is")
        return facts

    def full_path(self, path: str) -> str:
        """A file's path as the file system takes it."""
        root = _opened(urlsplit(self.url).scheme, self.url)[1]
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
        return _opened(urlsplit(self.url).scheme, self.url)[0]


class RemoteFile(io.RawIOBase):
    """A file at a URL, read in ranges, each of which is retried."""

    def __init__(self, store: RemoteStore, path: str, size: int, stamp: str) -> None:
        self._store, self._path, self._size = store, path, size
        self._at = 0
        self.stamp = stamp
        """Changes when the file does; empty where the server shows no version of it."""

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place; the new one, from the file's first byte."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as far as the file goes; the number of bytes. Raises OSError."""
        length = max(0, min(len(buffer), self._size - self._at))
        if length:
            data = self._store.read_range(self._path, self._at, length)
            if len(data) != length:
                raise OSError(f"{self._path or 'the archive'} is truncated")
            buffer[:length] = data
            self._at += length
        return length


def stamp_of_facts(facts: dict[str, Any]) -> str:
    """What changes when a file at a URL does; empty where its facts do not show it."""
    version = next((str(facts[name]) for name in VERSIONS if facts.get(name)), "")
    return f"{facts.get('size')} {version}" if version else ""


@cache
def _opened(scheme: str, url: str) -> tuple[Any, str]:
    """The file system of a URL, and the path that the URL has there."""
    options: dict[str, Any] = {}
    if scheme in ("http", "https"):
        from aiohttp import ClientTimeout

        timeout = ClientTimeout(ANSWER_S, sock_connect=SILENCE_S, sock_read=SILENCE_S)
        options = {"client_kwargs": {"timeout": timeout}}
    try:
        system, root = retried(lambda: core.url_to_fs(url, **options))
        return system, str(root).rstrip("/")
    except (ImportError, ValueError, OSError) as error:
        raise AtlasError(
            f"data.root {url} cannot be opened: {' '.join(str(error).split())}.",
            fix=f"Install what fsspec needs for {scheme}://, or correct the URL.",
        ) from None


def check_url(url: str) -> None:
    """Raise AtlasError for a URL with a password or a signature: params.yaml is published."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise AtlasError(f"data.root {url} is no URL: {error}.", fix="Correct it.") from None
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


def _read_copy(path: Path) -> bytes | None:
    """A copy's bytes; None where it is missing or damaged."""
    try:
        held = path.read_bytes()
    except OSError:
        return None
    digest, data = held[:32], held[32:]
    return data if hashlib.sha256(data).digest() == digest else None


def _write_copy(path: Path, data: bytes) -> None:
    """Keep a copy, whole or not at all; a full disk is not a reason to stop."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(hashlib.sha256(data).digest() + data)
        partial.replace(path)
    except OSError:
        partial.unlink(missing_ok=True)
