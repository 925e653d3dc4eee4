"""A data set fetched by torchvision, which appears whole or not at all."""

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.errors import AtlasError

log = logging.getLogger(__name__)


def download(name: str, into: Path, folder: str, fetch: Callable[[str], object]) -> None:
    """Fetch a data set into `into/folder`.

    `fetch` gets a scratch folder beside it and unpacks `folder` there; a run that is stopped
    half-way leaves no half data set. Raises AtlasError where it cannot be had.
    """
    target = into / folder
    log.info("downloading %s to %s", name, target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=into) as scratch:
            fetch(scratch)
            (Path(scratch) / folder).rename(target)
    except (OSError, RuntimeError, EOFError) as error:
        raise AtlasError(
            f"{name} is not in {target} and cannot be downloaded: {error}.",
            fix=f"Unpack it so that {target} exists, or set data.root to where it is.",
        ) from error
