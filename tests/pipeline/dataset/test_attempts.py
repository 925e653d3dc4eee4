"""Failures of clients become errors of one kind, and hold no credentials."""

import fsspec
import httpx2
import pytest
from aiohttp import ClientResponseError, RequestInfo
from botocore import exceptions as s3
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from pipeline.dataset import attempts
from pipeline.dataset.attempts import retried
from pipeline.dataset.members import UnreachableError

SIGNED = "https://key:secret@host/bucket/a.jpg?X-Amz-Signature=secret&X-Amz-Credential=key"


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    monkeypatch.setattr(attempts, "WAITS_S", (0.0, 0.0, 0.0))


def answered(status: int) -> ClientResponseError:
    facts = RequestInfo(URL(SIGNED), "GET", CIMultiDictProxy(CIMultiDict()), URL(SIGNED))
    return ClientResponseError(facts, (), status=status, message="said no")


def outcome(*errors: Exception) -> tuple[OSError, int]:
    """What attempts that fail so end in, and how many there were."""
    left = list(errors)

    def attempt():
        raise left.pop(0)

    try:
        retried(attempt)
    except OSError as error:
        return error, len(errors) - len(left)
    raise AssertionError("every attempt failed")


@pytest.mark.parametrize(
    "error",
    [
        answered(503),
        answered(429),
        s3.EndpointConnectionError(endpoint_url=SIGNED),
        s3.ReadTimeoutError(endpoint_url=SIGNED),
        httpx2.ConnectError("refused"),
        fsspec.FSTimeoutError(),
        OSError(16, "please reduce your request rate"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_that_may_pass_has_four_attempts(error):
    failed, attempts_made = outcome(*[error] * 9)
    assert isinstance(failed, UnreachableError)
    assert attempts_made == 4
    assert type(error).__name__ in str(failed)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (answered(403), OSError),
        (s3.NoCredentialsError(), UnreachableError),
        (FileNotFoundError(SIGNED), FileNotFoundError),
        (PermissionError(13, SIGNED), PermissionError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_a_failure_that_lasts_has_one(error, kind):
    failed, attempts_made = outcome(*[error] * 9)
    assert type(failed) is kind
    assert attempts_made == 1


def test_a_fault_of_the_program_is_none_of_a_read():
    with pytest.raises(ZeroDivisionError):
        retried(lambda: 1 // 0)


@pytest.mark.parametrize(
    "error", [answered(403), answered(503), FileNotFoundError(f"cannot open {SIGNED!r}\n")]
)
def test_addresses_keep_their_place_alone(error):
    failed, _ = outcome(*[error] * 9)
    assert "https://host/bucket/a.jpg?…" in str(failed)
    assert "secret" not in str(failed)
    assert "key" not in str(failed)
    assert failed.__suppress_context__
