"""Attempts at a remote read: repeated where a failure may pass, each failure a plain OSError.

Every service's client has errors of its own, some of which are no OSError, and whose words may hold
the signed address that a request was redirected to. Here they become errors of one kind.
"""

import re
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.dataset.members import UnreachableError

WAITS_S = (0.25, 1.0, 4.0)
"""Seconds before each further attempt at a read that failed."""
PASSING = (408, 425, 429)
"""The statuses from 400 to 499 that may pass: too slow, too early, too often."""
CLIENTS = frozenset(
    {"aiohttp", "azure", "botocore", "fsspec", "gcsfs", "google", "httpx", "httpx2", "requests"}
)
"""The packages whose errors are failures of a read, whatever classes they are made of."""

_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_USER = re.compile(r"(\w://)[^\s/@'\"]*@")
_QUERY = re.compile(r"\?[^\s'\"<>]*=[^\s'\"<>]*")

Result = TypeVar("Result")


def retried(attempt: Callable[[], Result]) -> Result:
    """The result of an attempt, repeated after failures that may pass.

    Raises OSError: UnreachableError for what may still pass, another for what does not. Their words
    hold neither the query of an address nor a user's name in it.
    """
    for wait_s in (*WAITS_S, None):
        try:
            return attempt()
        except _LASTING as error:
            kind = next(kind for kind in _LASTING if isinstance(error, kind))
            raise kind(without_secrets(error)) from None
        except Exception as error:  # clients share no class of errors
            if not _is_failed_read(error):
                raise
            words = f"{type(error).__name__}: {without_secrets(error)}"
            if _is_refusal(error):
                raise OSError(words) from None
            if wait_s is None or "Credentials" in type(error).__name__:
                raise UnreachableError(words) from None
        time.sleep(wait_s)
    raise AssertionError("the last attempt returns or raises")


def without_secrets(error: BaseException) -> str:
    """An error's words in one line, without what an address holds besides its place."""
    return _QUERY.sub("?…", _USER.sub(r"\1", " ".join(str(error).split())))


def _is_failed_read(error: Exception) -> bool:
    """Whether an error says that a server was slow, busy, away, or refused."""
    packages = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
    return isinstance(error, OSError) or bool(packages & CLIENTS)


def _is_refusal(error: Exception) -> bool:
    """Whether the server answered that the read is wrong, so that no other attempt goes well."""
    status = getattr(error, "status", None)
    status = status or getattr(getattr(error, "response", None), "status_code", None)
    return isinstance(status, int) and 400 <= status < 500 and status not in PASSING
