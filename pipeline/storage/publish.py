"""Outs that appear whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import AtlasError


@contextmanager
def publish(out: Path) -> Iterator[Path]:
    """Yield a path beside `out` to write a file or folder at; rename it to `out` at the end.

    Whatever is raised inside leaves `out` as it was and removes what was written. A full disk
    becomes an AtlasError. An `out` that exists is replaced.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    _remove(partial)
    try:
        yield partial
        _replace(partial, out)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise AtlasError(
                f"No room to write {out}: {os.strerror(error.errno)}.",
                fix="Free some space and run again; finished work is kept.",
            ) from error
        raise
    finally:
        _remove(partial)


def _replace(partial: Path, out: Path) -> None:
    if not out.is_dir():
        partial.replace(out)
        return
    old = out.with_name(f".{out.name}.old-{os.getpid()}")
    out.rename(old)
    partial.rename(out)
    shutil.rmtree(old)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
