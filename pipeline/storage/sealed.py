"""JSON files that carry the hash of their own content: reports, and the model's card."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.errors import AtlasError

SEAL = "sha256"
"""The key of the hash; the last line of a file."""


def write_sealed(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON object and its hash."""
    sealed = {**content, SEAL: content_sha256(content)}
    path.write_text(json.dumps(sealed, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read_sealed(path: Path, fix: str, *, required: bool = True) -> dict[str, Any]:
    """The content of such a file, its hash checked and taken off.

    A file that others may write too need not have one (`required`). Raises AtlasError where the
    file cannot be read, or is not as it was written.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or f"it is damaged ({error})"
        raise AtlasError(f"{path} cannot be read: {reason}.", fix=fix) from None
    if not isinstance(content, dict):
        raise AtlasError(f"{path} cannot be read: it holds no JSON object.", fix=fix)
    seal = content.pop(SEAL, None)
    if seal != content_sha256(content) and (required or seal is not None):
        raise AtlasError(f"{path} is not as it was written: its sha256 differs.", fix=fix)
    return content


def content_sha256(content: Mapping[str, Any]) -> str:
    """One hash over the values, whatever the layout of the text."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
