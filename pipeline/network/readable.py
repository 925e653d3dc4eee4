"""Files of weights that can be opened at all."""

import stat
from pathlib import Path

from pipeline.errors import AtlasError


def check_readable(path: Path, fix: str) -> None:
    """Raise AtlasError where a file is missing, is not a regular file, or may not be read."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise AtlasError(f"{path} is not a regular file.", fix=fix)
        path.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise AtlasError(f"There is no file {path}.", fix=fix) from None
    except OSError as error:
        raise AtlasError(
            f"{path} cannot be read: {error.strerror}.", fix="Let this user read it."
        ) from None
