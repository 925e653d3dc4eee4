"""Images inside other files: members of tar and zip files, rows of parquet files.

`prepare` writes into the manifest where each is, so that it is read without unpacking anything, and
without an index in memory.
"""

import os
import re
import zlib
from functools import lru_cache
from threading import Lock
from typing import Any, Protocol, runtime_checkable

from pipeline.errors import AtlasError

ARCHIVES = (".zip", ".tar")
SHARDS = (".tar", ".parquet")
MAX_BYTES = 1 << 28
"""A larger image is not read: 256 MiB."""
ROW_GROUPS = 4
"""Row groups of parquet files that are kept decoded; a row cannot be read without its group."""

_SHARD = re.compile(r"(?P<shard>.+?\.(?:tar|parquet))/", re.DOTALL | re.IGNORECASE)
_TAR = re.compile(r"tar:(\d+)\+(\d+)")
_ZIP = re.compile(r"zip:(\d+)\+(\d+):(0|8)")
_ROW = re.compile(r"row:(\d+):(\d+):(.+)", re.DOTALL)


class TooLargeError(OSError):
    """A file that is larger than any image that is read."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} bytes, more than {MAX_BYTES >> 20} MiB")


class UnreachableError(OSError):
    """A read that failed at every attempt, though it may succeed another time."""


@runtime_checkable
class Files(Protocol):
    """The files of a store that holds tar, zip and parquet files."""

    def __hash__(self) -> int: ...

    def read_range(self, path: str, start: int, length: int) -> bytes:
        """Some bytes of a file. Raises OSError."""
        ...

    def open(self, path: str) -> Any:
        """A file, open for reading and seeking. Raises OSError."""
        ...


def is_archive(location: str) -> bool:
    """Whether a location is one archive by its name, and not a folder."""
    return location.lower().endswith(ARCHIVES)


def tar_position(offset: int, length: int) -> str:
    """The position of a tar file's member, from its first byte's place and its length."""
    return f"tar:{offset}+{length}"


def read_tar_member(file: Any, position: str) -> bytes:
    """The bytes of a member of an open tar file; fewer where the file ends. Raises OSError."""
    found = _TAR.fullmatch(position)
    assert found is not None
    file.seek(int(found[1]))
    data: bytes = file.read(int(found[2]))
    return data


def zip_position(header: int, compressed: int, method: int) -> str:
    """The position of a zip file's member, from its local header's place and its length there."""
    return f"zip:{header}+{compressed}:{method}"


def row_position(group: int, row: int, column: str) -> str:
    """The position of a parquet file's row, inside a row group; of the column with the bytes."""
    return f"row:{group}:{row}:{column}"


def is_row(position: str) -> bool:
    """Whether a position is that of a parquet file's row."""
    return _ROW.fullmatch(position) is not None


def key_of(path: str, position: str) -> str:
    """What a store reads an image by; no file's name holds a NUL."""
    return f"{path}\0{position}" if position else path


def split_key(key: str) -> tuple[str, str]:
    """A key's path and position."""
    path, _, position = key.partition("\0")
    return path, position


def read_member(files: Files, path: str, position: str) -> bytes:
    """The bytes of an image inside another file. Raises OSError."""
    found = _SHARD.match(path)
    file = found["shard"] if found else ""
    if tar := _TAR.fullmatch(position):
        return _whole(files, file, int(tar[1]), int(tar[2]))
    if in_zip := _ZIP.fullmatch(position):
        return _read_zip(files, int(in_zip[1]), int(in_zip[2]), deflated=in_zip[3] == "8")
    if row := _ROW.fullmatch(position):
        return _read_row(files, file, int(row[1]), int(row[2]), row[3])
    raise OSError(f"position {position!r} is not understood")


def _whole(files: Files, path: str, start: int, length: int) -> bytes:
    data = files.read_range(path, start, length)
    if len(data) != length:
        raise OSError(f"{path or 'the archive'} is truncated")
    return data


def _read_zip(files: Files, header: int, compressed: int, *, deflated: bool) -> bytes:
    fixed = _whole(files, "", header, 30)
    name, extra = int.from_bytes(fixed[26:28], "little"), int.from_bytes(fixed[28:30], "little")
    data = _whole(files, "", header + 30 + name + extra, compressed)
    if not deflated:
        return data
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        inflated = inflate.decompress(data, MAX_BYTES + 1)
    except zlib.error as error:
        raise OSError(f"it is damaged in the archive: {error}") from None
    if len(inflated) > MAX_BYTES:
        raise TooLargeError(len(inflated))
    return inflated


_row_lock = Lock()


def _read_row(files: Files, path: str, group: int, row: int, column: str) -> bytes:
    # One at a time: threads that want rows of the same group would each read all of it.
    with _row_lock:
        rows = _row_group(files, path, group, column)
    if row >= len(rows):
        raise OSError(f"{path} has no row {row} in group {group}")
    data = rows[row].as_py()
    if not isinstance(data, bytes):
        raise OSError("the row holds no image")
    return data


@lru_cache(maxsize=ROW_GROUPS)
def _row_group(files: Files, path: str, group: int, column: str) -> Any:
    parquet = parquet_library()
    try:
        with files.open(path) as file:
            table = parquet.ParquetFile(file).read_row_group(group, columns=[f"{column}.bytes"])
    except (ValueError, IndexError) as error:  # pyarrow's own errors are ValueErrors
        raise OSError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    columns = table.flatten().columns
    if not columns:
        raise OSError(f"{path} has no column {column!r} of images")
    return columns[0]


def parquet_library() -> Any:
    """pyarrow's parquet module. Raises AtlasError where it is not installed.

    It takes memory as it needs it: its own allocator maps a gibibyte at the first byte, which is
    all that a decoder process may have.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # read at the import
    try:
        import pyarrow.parquet
    except ImportError:
        raise AtlasError(
            "Parquet files need pyarrow, which is not installed.",
            fix="Run `pip install 'feature-atlas[parquet]'`.",
        ) from None
    return pyarrow.parquet
