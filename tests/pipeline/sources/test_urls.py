"""What lies below a URL, and the one line where that cannot be said."""

import pytest
from s3fs import S3FileSystem

from pipeline.dataset import attempts
from pipeline.errors import AtlasError
from pipeline.sources.urls import url_tree
from tests import layouts
from tests.pipeline.sources.folders import touch


@pytest.fixture(autouse=True)
def no_waits(monkeypatch):
    monkeypatch.setattr(attempts, "WAITS_S", (0.0,))


def paths(location):
    return [file.path for file in url_tree(location).listing.files]


def test_all_files_are_listed_by_their_paths(tmp_path):
    touch(tmp_path, ["val/cat #1/a b.jpg", "val/dog/é.jpg", "classes.txt"])
    with layouts.served(tmp_path) as server:
        assert paths(server.url) == ["classes.txt", "val/cat #1/a b.jpg", "val/dog/é.jpg"]


def test_an_index_page_that_fails_now_and_then_loses_no_file(tmp_path):
    touch(tmp_path, ["val/cat/a.jpg", "val/dog/b.jpg"])
    with layouts.served(tmp_path) as server:
        server.failing, server.failures[:] = "/", ["503", "none", "503", "none", "503"]
        assert paths(server.url) == ["val/cat/a.jpg", "val/dog/b.jpg"]
        assert server.failures == []


@pytest.mark.parametrize("failure", ["401", "404", "503"])
def test_an_index_page_that_only_fails_is_one_line(tmp_path, failure):
    touch(tmp_path, ["val/cat/a.jpg", "val/dog/b.jpg"])
    with layouts.served(tmp_path) as server:
        server.failing, server.failures[:] = "/", ["none", "none", *[failure] * 99]
        with pytest.raises(AtlasError, match="cannot be listed"):
            url_tree(server.url)


@pytest.fixture
def s3_is_away(monkeypatch, tmp_path):
    S3FileSystem.clear_instance_cache()  # an earlier test's has that one's credentials
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)


def test_s3_without_credentials_is_one_line(s3_is_away):
    with pytest.raises(AtlasError, match="s3://no-keys cannot be listed: NoCredentialsError"):
        url_tree("s3://no-keys")


def test_s3_that_is_away_is_one_line(s3_is_away, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key-of-the-test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-test")
    with pytest.raises(AtlasError, match="cannot be listed: EndpointConnectionError") as caught:
        url_tree("s3://away")
    assert "-of-the-test" not in str(caught.value)
