"""The files below a URL, listed through fsspec."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from pipeline.dataset.attempts import retried
from pipeline.dataset.remote import RemoteStore, stamp_of_facts
from pipeline.errors import AtlasError
from pipeline.sources.trees import File, IndexedTree, sorted_out


def url_tree(location: str) -> IndexedTree:
    """The tree below a URL. Raises AtlasError where it cannot be listed."""
    store = RemoteStore(location)
    try:
        found = list(_entries(store.system, store.full_path("")))
    except OSError as error:
        raise AtlasError(
            f"{location} cannot be listed: {error}.",
            fix="Correct data.root in params.yaml, or the credentials in the environment.",
        ) from None
    return IndexedTree(location, sorted_out(_files(store, found)))


def _entries(system: Any, folder: str) -> Iterator[dict[str, Any]]:
    """The files below a folder. fsspec's own `find` leaves out folders that it cannot list."""
    for facts in retried(lambda: system.ls(folder, detail=True)):
        if facts["type"] != "directory":
            yield facts
        elif facts["name"].rstrip("/") != folder and not facts["name"].rstrip("/").endswith("/."):
            yield from _entries(system, facts["name"].rstrip("/"))


def _files(store: RemoteStore, found: list[dict[str, Any]]) -> Iterator[File]:
    root = f"{store.full_path('')}/"
    for facts in found:
        path = facts["name"]
        if path.startswith(root) and path.strip("/") != root.strip("/"):
            name = unquote(path[len(root) :]) if store.is_web else path[len(root) :]
            yield File(name, stamp_of_facts(facts))
