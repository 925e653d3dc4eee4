"""Outs that appear whole or not at all."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from safetensors import SafetensorError

from pipeline.errors import AtlasError
from pipeline.storage.disk import disk_full_error


@contextmanager
def publish(out: Path) -> Iterator[Path]:
    """Yield a path beside `out` to write a file or folder at; rename it to `out` at the end.

    Whatever is raised inside leaves `out` as it was and removes what was written. A full disk
    becomes an AtlasError. An `out` that exists is replaced; of a symbolic link, what it points at,
    so that an out may be on another disk. What killed processes left behind is swept away, but for
    an out that one had moved aside and not yet replaced: it is put back.
    """
    out = _link_target(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out)
    partial = _beside(out, "partial")
    try:
        yield partial
        _replace(partial, out)
    except (OSError, RuntimeError, SafetensorError) as error:
        if full := disk_full_error(error, out):
            raise full from error
        raise
    finally:
        _put_back(_beside(out, "old"), out)
        _remove(partial)


def _link_target(out: Path) -> Path:
    """Where a link leads in the end, whether anything is there or not; other paths as they are."""
    if not out.is_symlink():
        return out
    try:
        return out.resolve(strict=False)
    except (OSError, RuntimeError):  # it leads round in a circle
        raise AtlasError(f"{out} is a link to itself.", fix="Remove it.") from None


def _beside(out: Path, role: str) -> Path:
    return out.with_name(f".{out.name}.{role}-{os.getpid()}")


def _replace(partial: Path, out: Path) -> None:
    """Rename a file or folder to `out`; a folder that is there is moved aside first.

    No rename replaces a folder that holds files. A kill between the two leaves no out, which reruns
    the stage, and never half of one; `_sweep` puts the old one back.
    """
    old = _beside(out, "old")
    while True:
        if out.is_dir():
            with suppress(FileNotFoundError):  # another process has just moved it
                out.rename(old)
        try:
            partial.replace(out)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            _remove(old)  # another process has just published a folder, which is replaced in turn


def _put_back(old: Path, out: Path) -> None:
    """Undo half a replacement: what was moved aside returns where nothing took its place."""
    if old.is_dir() and not old.is_symlink() and not out.exists():
        old.rename(out)
    else:
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sweep(out: Path) -> None:
    """Remove what processes that are no longer alive wrote for `out`; put back what they moved."""
    pattern = re.compile(re.escape(f".{out.name}.") + r"(partial|old)-(\d+)")
    for path in list(out.parent.iterdir()):
        if (match := pattern.fullmatch(path.name)) and not _alive(int(match[2])):
            _remove(path) if match[1] == "partial" else _put_back(path, out)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
